/** The build of the codec that can encode, for fixtures. */
declare module '@cornerstonejs/codec-openjpeg/wasmjs';
