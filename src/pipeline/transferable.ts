/**
 * The memory behind these views that can be handed to another thread. Node's buffer pool cannot: others use it too, and
 * from Node 21 on `postMessage` throws a DataCloneError where it is asked to. Small results of zlib lie in it, and its
 * size differs between versions of Node; what is not larger is copied instead. Shared memory needs no handing over.
 */
export function transferable(views: readonly ArrayBufferView[]): ArrayBuffer[] {
  const buffers = new Set(views.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : [])));
  return [...buffers].filter(({ byteLength }) => byteLength > Buffer.poolSize);
}
