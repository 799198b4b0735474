// The page: an image is dropped or chosen, five bars and the milliseconds are shown.

import { Tailfold } from "./tailfold.js";

const element = (id) => document.getElementById(id);
const [drop, choose, sample, preview, status, bars, sizes] = [
  "drop",
  "choose",
  "sample",
  "preview",
  "status",
  "bars",
  "sizes",
].map(element);

/** The bytes of a file beside this page. */
async function bytesOf(name) {
  const url = new URL(name, location.href);
  if (url.origin !== location.origin) {
    throw new Error(`${name} lies elsewhere`);
  }
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`${name}: ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

const kilobytes = (bytes) => `${Math.round(bytes.length / 1000)} kB`;

function show(answer, ms) {
  bars.replaceChildren(
    ...answer.top.map(({ name, probability }) => {
      const row = document.createElement("li");
      const label = document.createElement("span");
      const bar = document.createElement("progress");
      const number = document.createElement("output");
      label.textContent = name;
      bar.value = probability;
      bar.setAttribute("aria-label", name);
      number.textContent = `${(100 * probability).toFixed(1)} %`;
      row.append(label, bar, number);
      return row;
    }),
  );
  status.textContent = `${answer.top[0].name}, in ${ms.toFixed(1)} ms (decoding, preparation and network)`;
}

/** Classifies and shows an image file's bytes; what was answered. */
function classify(tailfold, bytes) {
  const start = performance.now();
  const answer = tailfold.classify(bytes);
  const ms = performance.now() - start;
  URL.revokeObjectURL(preview.src);
  preview.src = URL.createObjectURL(new Blob([bytes]));
  preview.hidden = false;
  show(answer, ms);
  return { top: answer.top, logits: answer.logits, ms };
}

function failed(error) {
  bars.replaceChildren();
  preview.hidden = true;
  status.textContent = `It did not work: ${error.message}`;
}

/** Classifies what a person gave. */
async function take(tailfold, source) {
  try {
    classify(tailfold, new Uint8Array(await source()));
  } catch (error) {
    failed(error);
  }
}

/** `?test=a.png,b.png`: classifies those files and posts what was answered to where the page came from. */
async function test(tailfold, names) {
  const answers = [];
  for (const image of names) {
    answers.push({ image, ...classify(tailfold, await bytesOf(image)) });
  }
  const shown = [...bars.children].map((row) => row.textContent);
  const body = JSON.stringify({ answers, shown, status: status.textContent, sizes: sizes.textContent });
  await fetch("report", { method: "POST", body });
}

try {
  const [module, model] = await Promise.all(["tailfold.wasm", "model.onnx"].map(bytesOf));
  const tailfold = await Tailfold.from(module);
  const { classes, version } = tailfold.open(model);
  sizes.textContent = `tailfold ${version}: module ${kilobytes(module)}, model ${kilobytes(model)}, ${classes.length} classes.`;
  status.textContent = "Ready.";

  choose.disabled = sample.disabled = false;
  choose.addEventListener("change", () => {
    const [file] = choose.files;
    if (file) {
      take(tailfold, () => file.arrayBuffer());
    }
  });
  sample.addEventListener("click", () => take(tailfold, () => bytesOf("sample.png")));
  // The whole window, so that a near miss does not leave the page for the image.
  addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  addEventListener("dragleave", () => drop.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    const [file] = event.dataTransfer.files;
    if (file) {
      take(tailfold, () => file.arrayBuffer());
    }
  });

  const names = new URLSearchParams(location.search).get("test");
  if (names) {
    await test(tailfold, names.split(","));
  }
} catch (error) {
  failed(error);
}
