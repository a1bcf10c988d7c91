/**
 * Tests by what they need: `unit` nothing but Node; `slow` other programs, most of all the independent readers of what we
 * write, the shipped networks, or minutes; `servers` a real Orthanc and a real RabbitMQ (scripts/dev/servers.mjs).
 */
const shared = {
  rootDir: __dirname,
  testEnvironment: '<rootDir>/test/support/environment.js',
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
    // ES modules, and one that imports while it runs, which jest can't load as they are.
    '/node_modules/(openid-client|oauth4webapi|jose|@opentelemetry/otlp-exporter-base)/.+\\.js$': [
      '@swc/jest',
      { jsc: { target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!(openid-client|oauth4webapi|jose|@opentelemetry/otlp-exporter-base)/)'],
  // Each look at a global costs in the tests' realm, in a loop over pixels more than what is computed: these are handed
  // to each module as variables. None of them is ever replaced by a test.
  sandboxInjectedGlobals: [
    'Array',
    'ArrayBuffer',
    'DataView',
    'Float32Array',
    'Float64Array',
    'Infinity',
    'Int16Array',
    'Int32Array',
    'Int8Array',
    'Map',
    'Math',
    'Number',
    'Object',
    'Set',
    'String',
    'Uint16Array',
    'Uint32Array',
    'Uint8Array',
  ],
  // A thread can't be started from TypeScript.
  moduleNameMapper: {
    '^\\./sqlite-worker-file$': '<rootDir>/test/support/threads/sqlite-worker-file.ts',
    // Tests sign in hundreds of times; test/web/access/request-checks.test.ts has the real one.
    '^\\./password-cost$': '<rootDir>/test/support/password-cost.ts',
    // Loaded when it is needed, by the name that Node needs for that.
    '^\\.\\./tracing/open\\.js$': '<rootDir>/src/tracing/open.ts',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/training'],
};

module.exports = {
  testTimeout: 120_000,
  globalSetup: '<rootDir>/test/support/temporary-folder.js',
  globalTeardown: '<rootDir>/test/support/temporary-folder-end.js',
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['<rootDir>/test/servers/', '\\.slow\\.test\\.ts$'],
    },
    { ...shared, displayName: 'slow', testMatch: ['<rootDir>/test/**/*.slow.test.ts'] },
    { ...shared, displayName: 'servers', testMatch: ['<rootDir>/test/servers/**/*.test.ts'] },
  ],
};
