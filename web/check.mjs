// node check.mjs FOLDER IMAGE...: classifies the images as the page does, and prints what it would show as JSON.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { argv } from "node:process";
import { Tailfold } from "./tailfold.js";

const [folder, ...images] = argv.slice(2);
const tailfold = await Tailfold.from(await readFile(join(folder, "tailfold.wasm")));
tailfold.open(await readFile(join(folder, "model.onnx")));
const answers = [];
for (const image of images) {
  const bytes = await readFile(join(folder, image));
  const start = performance.now();
  const { top, logits } = tailfold.classify(bytes);
  answers.push({ image, top, logits, ms: performance.now() - start });
}
console.log(JSON.stringify({ answers }));
