/** After the last test file. */
module.exports = function removeTemporaryFolder() {
  globalThis.closeTemporaryFolder();
};
