/**
 * node --require of a process that may reach nothing but this machine and the npm registry (or the proxy to it): every
 * other connection fails, and its host is noted in the file HILUM_CONNECTIONS. Passed on to children by NODE_OPTIONS.
 */
'use strict';
const fs = require('node:fs');
const net = require('node:net');

const { env } = process;
const addresses = [env.npm_config_registry, env.HTTPS_PROXY, env.https_proxy, 'https://registry.npmjs.org'];
const allowed = new Set([
  'localhost',
  '127.0.0.1',
  '::1',
  ...addresses.flatMap((url) => (url ? new URL(url).hostname : [])),
]);

/** @type {Function} */
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const [options] = Array.isArray(args[0]) ? args[0] : args;
  const host = typeof options === 'object' ? options.host : typeof options === 'number' ? args[1] : undefined;
  if (typeof host !== 'string' || allowed.has(host)) return connect.apply(this, args);
  fs.appendFileSync(env.HILUM_CONNECTIONS ?? '/dev/null', `${host}\n`);
  process.nextTick(() => this.destroy(new Error(`not the registry: ${host}`)));
  return this;
};
