/**
 * Switches telemetry off: onnxruntime-node 1.30 keeps a device id and queues usage data by default. Import it before
 * the engine, which reads the variable when it is loaded.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';
