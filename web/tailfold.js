// The module's other side: bytes in, answers out. Runs in browsers and in Node, and asks nobody for anything.

const decoder = new TextDecoder();

/** A WebAssembly classifier with one model. */
export class Tailfold {
  #exports;

  /** @param {WebAssembly.Instance} instance of tailfold.wasm, which imports nothing */
  constructor(instance) {
    this.#exports = instance.exports;
  }

  /**
   * The module whose bytes these are.
   * @param {BufferSource} bytes
   */
  static async from(bytes) {
    const { instance } = await WebAssembly.instantiate(bytes, {});
    return new Tailfold(instance);
  }

  /**
   * Takes a model file in place of the one before: `{classes, channels, height, width, version}`.
   * @param {Uint8Array} bytes
   */
  open(bytes) {
    return this.#ask(bytes, (at) => this.#exports.tailfold_open(at, bytes.length));
  }

  /**
   * Classifies an image file: `{top: [{class, name, probability}], logits}`, most likely class first.
   * @param {Uint8Array} bytes JPEG, PNG, BMP, WebP or PNM
   */
  classify(bytes, top = 5) {
    return this.#ask(bytes, (at) => this.#exports.tailfold_classify(at, bytes.length, top));
  }

  #ask(bytes, call) {
    const { tailfold_alloc, tailfold_answer, tailfold_free, memory } = this.#exports;
    const at = tailfold_alloc(bytes.length);
    if (at === 0 && bytes.length > 0) {
      throw new Error(`no memory for ${bytes.length} bytes`);
    }
    // `memory.buffer` is another one whenever the memory has grown.
    new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
    const length = call(at);
    const text = decoder.decode(new Uint8Array(memory.buffer, tailfold_answer(), length));
    tailfold_free(at, bytes.length);
    const answer = JSON.parse(text);
    if (answer.error !== undefined) {
      throw new Error(answer.error);
    }
    return answer;
  }
}
