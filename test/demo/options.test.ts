import { readOptions, withoutTaken } from '../../scripts/dev/demo/options.cjs';

const NONE = { films: undefined, once: false, json: false, help: false };
/** As npm sets it for `npm run demo`. */
const npm = (taken: Record<string, string> = {}) => ({ npm_lifecycle_event: 'demo', ...taken });

test.each([
  ['npm run demo', [], npm(), {}],
  ['npm run demo -- --films DIR --once', ['--films', 'DIR', '--once'], npm(), { films: 'DIR', once: true }],
  [
    'npm run demo --once --json',
    [],
    npm({ npm_config_once: 'true', npm_config_json: 'true' }),
    { once: true, json: true },
  ],
  ['npm run demo --films DIR', ['DIR'], npm({ npm_config_films: 'true' }), { films: 'DIR' }],
  [
    'npm run demo --films=DIR --once',
    [],
    npm({ npm_config_films: 'DIR', npm_config_once: 'true' }),
    { films: 'DIR', once: true },
  ],
  [
    'npm run demo --once -- --films DIR',
    ['--films', 'DIR'],
    npm({ npm_config_once: 'true' }),
    { films: 'DIR', once: true },
  ],
  [
    'node scripts/dev/demo.mjs, under another script of npm',
    [],
    { npm_lifecycle_event: 'verify', npm_config_json: 'true' },
    {},
  ],
  ['npm run demo --no-once', [], npm({ npm_config_once: '' }), {}],
])('%s', (_command, args, env, expected) => {
  expect(readOptions(args, env)).toEqual({ ...NONE, ...expected });
});

test.each([
  [['--films'], npm()],
  [[], npm({ npm_config_films: 'true' })],
  [['A', 'B'], npm({ npm_config_films: 'true' })],
  [['DIR'], npm()],
  [['--nonsense'], npm()],
])('%j is refused', (args, env) => {
  expect(() => readOptions(args, env)).toThrow();
});

test('what is started on the way does not see them', () => {
  expect(withoutTaken({ ...npm({ npm_config_films: 'DIR', npm_config_json: 'true' }), PATH: '/bin' })).toEqual({
    npm_lifecycle_event: 'demo',
    PATH: '/bin',
  });
});
