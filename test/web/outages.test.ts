import { Outages } from '../../src/web/outages';

function setUp() {
  const state: { clock: number; problem: string | Error | null } = { clock: 1_000, problem: null };
  const outages = new Outages(() => state.clock);
  const check = outages.noted({
    name: 'archive',
    look: async () => {
      if (state.problem instanceof Error) throw state.problem;
      return state.problem;
    },
  });
  const lookAt = (clock: number, problem: string | Error | null) => {
    Object.assign(state, { clock, problem });
    return check.look();
  };
  return { outages, lookAt };
}

test('an outage begins when it is found first, keeps what was found last, and ends when all is well', async () => {
  const { outages, lookAt } = setUp();
  expect(await lookAt(1_000, null)).toBeNull();
  expect(outages.list()).toEqual([]);
  expect(await lookAt(2_000, 'it is away')).toBe('it is away');
  expect(await lookAt(3_000, new Error('it can not be asked'))).toBe('it can not be asked');
  expect(outages.list()).toEqual([{ check: 'archive', problem: 'it can not be asked', from: 2_000, to: null }]);
  await lookAt(4_000, null);
  await lookAt(5_000, null);
  expect(outages.list()).toEqual([{ check: 'archive', problem: 'it can not be asked', from: 2_000, to: 4_000 }]);
});

test('those that last come first; of those that are over the last twenty are kept, the latest first', async () => {
  const { outages, lookAt } = setUp();
  for (let i = 0; i < 25; i++) {
    await lookAt(i * 10, 'away');
    await lookAt(i * 10 + 5, null);
  }
  await lookAt(900, 'away');
  const [lasting, ...ended] = outages.list();
  expect(lasting).toMatchObject({ from: 900, to: null });
  expect(ended.map(({ from }) => from)).toEqual(Array.from({ length: 20 }, (_, i) => (24 - i) * 10));
});
