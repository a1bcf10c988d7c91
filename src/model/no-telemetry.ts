/**
 * onnxruntime-node 1.30 keeps a device id and queues usage data for its maker by default. A hospital's service does
 * neither. To be imported before the engine, which reads the variable when it is loaded.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';
