/**
 * Buffers behind these views that can be transferred to another thread. Node's buffer pool can't: others use it too,
 * and from Node 21 on `postMessage` throws a DataCloneError for it. Small results of zlib are in the pool, whose size
 * differs between versions of Node; buffers up to its size are copied instead. Shared memory needs no transfer.
 */
export function transferable(views: readonly ArrayBufferView[]): ArrayBuffer[] {
  const buffers = new Set(views.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : [])));
  return [...buffers].filter(({ byteLength }) => byteLength > Buffer.poolSize);
}
