// Times a model with ONNX Runtime's CPU provider, as a yardstick for `hone bench`: the same JSON keys.
//
//   node bench/onnxruntime.js MODEL.onnx [--threads N] [--iterations N] [--warmup N] [--shape NAME=1x3x224x224]...
//
// onnxruntime-node is looked for where node looks, and in $ONNXRUNTIME (a folder in which `npm install onnxruntime-node`
// was run). Exit code 77: it is not installed. Inputs are random; dimensions that the model leaves open are 1.
'use strict';
const { createRequire } = require('module');
const { performance } = require('perf_hooks');

function load() {
  for (const place of [__filename, process.env.ONNXRUNTIME && `${process.env.ONNXRUNTIME}/x.js`])
    if (place) try { return createRequire(require('path').resolve(place))('onnxruntime-node'); } catch (e) { if (e.code !== 'MODULE_NOT_FOUND') throw e; }
  console.error('onnxruntime-node is not installed: npm install onnxruntime-node, and say where by ONNXRUNTIME=FOLDER');
  process.exit(77);
}

function parse(words) {
  const options = { threads: 0, iterations: 50, warmup: 5, shapes: {} };
  let model;
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (!word.startsWith('--')) { model = word; continue; }
    const value = words[++i];
    if (word === '--shape') {
      const at = value.lastIndexOf('=');
      options.shapes[value.slice(0, at)] = value.slice(at + 1).split('x').map(Number);
    } else if (['--threads', '--iterations', '--warmup'].includes(word) && /^\d+$/.test(value)) options[word.slice(2)] = Number(value);
    else throw new Error(`${word} ${value}: not understood`);
  }
  if (!model) throw new Error('usage: node bench/onnxruntime.js MODEL.onnx [--threads N] [--iterations N] [--warmup N]');
  return { model, ...options };
}

// element type -> array, and how to fill it
const TYPES = {
  float32: [Float32Array, () => 2 * Math.random() - 1], float64: [Float64Array, () => 2 * Math.random() - 1],
  uint8: [Uint8Array, () => 256 * Math.random()], int8: [Int8Array, () => 256 * Math.random() - 128],
  int32: [Int32Array, () => Math.round(Math.random())], int64: [BigInt64Array, () => BigInt(Math.round(Math.random()))],
  bool: [Uint8Array, () => Math.round(Math.random())], float16: [Uint16Array, () => 0x3800],
};

// In 10^6 bytes: VmHWM, the most so far, or VmRSS.
const memory = (what) => Number(new RegExp(`${what}:\\s*(\\d+)`).exec(require('fs').readFileSync('/proc/self/status', 'utf8'))[1]) * 1024 / 1e6;

async function main() {
  const ort = load();
  const options = parse(process.argv.slice(2));
  const idle_rss_mb = memory('VmRSS');  // what node and the library take before there is a model
  const started = performance.now();
  const session = await ort.InferenceSession.create(options.model, {
    executionProviders: ['cpu'], intraOpNumThreads: options.threads, interOpNumThreads: 1, graphOptimizationLevel: 'all', logSeverityLevel: 3,
  });
  const load_ms = performance.now() - started;
  const feeds = {};
  session.inputNames.forEach((name, i) => {
    const about = session.inputMetadata[i];
    const dims = options.shapes[name] || about.shape.map((d) => (typeof d === 'number' && d > 0 ? d : 1));
    const [Type, draw] = TYPES[about.type] || [];
    if (!Type) throw new Error(`input ${name} is of type ${about.type}`);
    feeds[name] = new ort.Tensor(about.type, Type.from({ length: dims.reduce((a, b) => a * b, 1) }, draw), dims);
  });
  const times = [];
  for (let i = -options.warmup; i < options.iterations; i++) {
    const t = performance.now();
    await session.run(feeds);
    if (i >= 0) times.push(performance.now() - t);
  }
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(share * times.length))];
  console.log(JSON.stringify({
    median_ms: at(0.5), min_ms: times[0], p95_ms: at(0.95), load_ms, peak_rss_mb: memory('VmHWM'), idle_rss_mb,
    threads: options.threads, version: ort.env.versions.node,
  }));
}

main().catch((e) => { console.error(`onnxruntime: ${e.message}`); process.exit(1); });
