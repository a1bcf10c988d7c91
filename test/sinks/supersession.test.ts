import { deriveUid } from '../../src/dicom/uid';
import { SR_CLASSES } from '../../src/objects/structured-report';
import { type Standing, standingOf } from '../../src/sinks/supersession';

const uid = (name: string) => deriveUid(['test', name]);
/** A film with its report, null for one without, and those that it supersedes. */
const film = (name: string, report: string | null, ...supersedes: string[]) => ({
  sopInstanceUid: uid(name),
  outputs:
    report === null
      ? []
      : [
          {
            sopClassUid: SR_CLASSES['comprehensive-3d'],
            seriesInstanceUid: uid(`series ${report}`),
            sopInstanceUid: uid(report),
          },
        ],
  ...(supersedes.length > 0 ? { supersedes: supersedes.map(uid) } : {}),
});
type Films = ReturnType<typeof film>[];

test.each<[string, Films, Films, Standing]>([
  ['names the one that is there', [film('a', 'r2', 'r1')], [film('a', 'r1')], 'newer'],
  ['is named by the one that is there', [film('a', 'r1')], [film('a', 'r2', 'r1')], 'older'],
  ['is named as the one before the one before', [film('a', 'r1')], [film('a', 'r3', 'r1', 'r2')], 'older'],
  ['comes after a gap', [film('a', 'r3', 'r1', 'r2')], [film('a', 'r1')], 'newer'],
  ['takes a result back without a new one', [film('a', null, 'r1')], [film('a', 'r1')], 'newer'],
  ['was taken back', [film('a', 'r1')], [film('a', null, 'r1')], 'older'],
  ['has an older report of one film', [film('a', 'r1'), film('b', 's1')], [film('a', 'r2', 'r1')], 'older'],
  ['was made before all films were there', [film('a', 'r1')], [film('a', 'r1'), film('b', 's1')], 'older'],
  ['has one film more', [film('a', 'r1'), film('b', 's1')], [film('a', 'r1')], 'unknown'],
  [
    'has a film that is gone in the other, and a new one',
    [film('b', 's1')],
    [film('a', 'r1'), film('c', 't')],
    'unknown',
  ],
  ['is of version 0.1, and names nothing', [film('a', 'r2')], [film('a', 'r1')], 'unknown'],
  ['is the same', [film('a', 'r2', 'r1')], [film('a', 'r2', 'r1')], 'unknown'],
  ['names a report of another film', [film('a', 'r2', 's1')], [film('b', 's1')], 'unknown'],
])('a result that %s', (_, arrived, held, expected) => {
  expect(standingOf(arrived, held)).toBe(expected);
});
