/* tailfold: image classification with long-tailed models. Made by cbindgen; do not edit.
 *
 * A call answers with a code; tailfold_last_error has the message of the calling thread. What a function writes to is
 * the caller's memory, and nothing is kept of what it is given: paths, options and images may be freed after the call.
 *
 * Threads: a handle is used by one thread at a time, which is for the caller to see to. Different handles are free to
 * be used by different threads at once, forks of one model included; tailfold_fork gives another handle over the same
 * weights.
 */

#ifndef TAILFOLD_H
#define TAILFOLD_H

#include <stddef.h>
#include <stdint.h>

/**
 * What came of a call. Later versions may add codes, so treat one that you do not know as a failure.
 */
typedef enum TailfoldCode {
  /**
   * Done.
   */
  TAILFOLD_OK = 0,
  /**
   * An argument is NULL, is not UTF-8, is of the wrong size or contradicts another one.
   */
  TAILFOLD_ARGUMENT = 1,
  /**
   * The model file cannot be read.
   */
  TAILFOLD_FILE = 2,
  /**
   * The file is no model that can be used: no ONNX, unsound, or without metadata.
   */
  TAILFOLD_MODEL = 3,
  /**
   * This library was built without the back end.
   */
  TAILFOLD_BACKEND = 4,
  /**
   * The back end cannot run this model.
   */
  TAILFOLD_UNSUPPORTED = 5,
  /**
   * The image cannot be decoded, or is not of the model's size.
   */
  TAILFOLD_IMAGE = 6,
  /**
   * The network did not answer, or its answer is not a number.
   */
  TAILFOLD_RUN = 7,
  /**
   * A mistake of the library's own. The handle answers nothing else from now on; close it.
   */
  TAILFOLD_PANIC = 8,
} TailfoldCode;

/**
 * A model that is ready to run, with its class names and its preparation of images.
 */
typedef struct TailfoldClassifier TailfoldClassifier;

/**
 * How a model is opened. Set all of it to zero, then `size`, then what you care about:
 * `TailfoldOptions options = {0}; options.size = sizeof options;`
 *
 * Later versions may add fields at the end, for which zero means what was done before.
 */
typedef struct TailfoldOptions {
  /**
   * Bytes of this structure, as the caller knows it: `sizeof(TailfoldOptions)`.
   */
  size_t size;
  /**
   * What computes: `"integer"`, `"tract"` or `"tract-stock"`. NULL: the one of this build that runs most models.
   */
  const char *backend;
  /**
   * Most threads that share an image; 0 and 1 are the calling thread alone. The answer does not depend on it.
   */
  uint32_t threads;
  /**
   * Not 0: images of any size are brought to the network's, where the model itself says nothing of resizing.
   */
  uint32_t fit;
} TailfoldOptions;

/**
 * Sizes of the network's input.
 */
typedef struct TailfoldShape {
  /**
   * 1 (grey) or 3 (red, green, blue).
   */
  size_t channels;
  /**
   * Rows, in pixels.
   */
  size_t height;
  /**
   * Columns, in pixels.
   */
  size_t width;
} TailfoldShape;

/**
 * A class, and how likely the model finds it.
 */
typedef struct TailfoldGuess {
  /**
   * Class, from 0; `tailfold_class_name` has its name.
   */
  uint32_t class_index;
  /**
   * From 0 to 1: softmax of the logits, all classes counted.
   */
  double probability;
} TailfoldGuess;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Name of `code`, such as `"TAILFOLD_IMAGE"`; `"unknown"` for a number that is no code of this version. Static.
 */
const char *tailfold_error_name(int code);

/**
 * Version of this library, such as `"0.1.0"`. Static.
 */
const char *tailfold_version(void);

/**
 * Why the latest call of this thread that failed did so, with all that lies below it, in UTF-8; `""` before one has.
 *
 * The text is the library's and valid until the next call of this thread.
 */
const char *tailfold_last_error(void);

/**
 * Reads the model file at `path` (UTF-8) and prepares it to run; `*classifier` is the handle, which
 * `tailfold_close` frees, and NULL after a failure. `options` may be NULL: the defaults.
 *
 * # Safety
 * `path` is NULL or ends with a NUL; `options` is NULL or as its own documentation says; `classifier` is NULL or can be
 * written to.
 */
enum TailfoldCode tailfold_open(const char *path,
                                const struct TailfoldOptions *options,
                                struct TailfoldClassifier **classifier);

/**
 * Another handle over the same weights, for another thread; `*fork` is NULL after a failure. Each of the two is closed for
 * itself, in any order.
 *
 * # Safety
 * `classifier` is NULL or an open handle that no other thread uses meanwhile; `fork` is NULL or can be written to.
 */
enum TailfoldCode tailfold_fork(const struct TailfoldClassifier *classifier,
                                struct TailfoldClassifier **fork);

/**
 * Frees a handle, whose class names are gone with it. NULL is fine.
 *
 * # Safety
 * `classifier` is NULL or a handle that is open, and that nobody uses from now on.
 */
void tailfold_close(struct TailfoldClassifier *classifier);

/**
 * Number of classes, at least 1; 0 for NULL.
 *
 * # Safety
 * `classifier` is NULL or an open handle.
 */
size_t tailfold_num_classes(const struct TailfoldClassifier *classifier);

/**
 * Name of a class in UTF-8, which is the handle's and valid until it is closed; NULL for a class that is not there.
 *
 * # Safety
 * `classifier` is NULL or an open handle.
 */
const char *tailfold_class_name(const struct TailfoldClassifier *classifier,
                                uint32_t class_index);

/**
 * Sizes of the network's input. Images that are not fitted must have its height and width.
 *
 * # Safety
 * `classifier` is NULL or an open handle; `shape` is NULL or can be written to.
 */
enum TailfoldCode tailfold_input_shape(const struct TailfoldClassifier *classifier,
                                       struct TailfoldShape *shape);

/**
 * Classifies an image file's `len` bytes: JPEG, PNG, BMP, WebP or PNM.
 *
 * The `top` most likely classes are written to `guesses`, which has room for `top`, the most likely one first; `*written`
 * is how many they are, at most as many as there are classes, and 0 after a failure.
 *
 * # Safety
 * `classifier` is NULL or an open handle that nobody else uses meanwhile; `data`, `guesses` and `written` are NULL or have
 * the sizes that are given for them.
 */
enum TailfoldCode tailfold_classify_bytes(struct TailfoldClassifier *classifier,
                                          const uint8_t *data,
                                          size_t len,
                                          size_t top,
                                          struct TailfoldGuess *guesses,
                                          size_t *written);

/**
 * The same for pixels that are decoded already: rows from the top, in a row from the left, in a pixel its `channels`
 * bytes: 1 (grey) or 3 (red, green, blue). `data` has `width * height * channels` bytes, without gaps.
 *
 * # Safety
 * As for `tailfold_classify_bytes`.
 */
enum TailfoldCode tailfold_classify_pixels(struct TailfoldClassifier *classifier,
                                           const uint8_t *data,
                                           size_t width,
                                           size_t height,
                                           size_t channels,
                                           size_t top,
                                           struct TailfoldGuess *guesses,
                                           size_t *written);

/**
 * Logits of an image file's `len` bytes, in natural-log units and in label order, to `out`, whose `out_len` must be the
 * number of classes.
 *
 * # Safety
 * As for `tailfold_classify_bytes`.
 */
enum TailfoldCode tailfold_logits_bytes(struct TailfoldClassifier *classifier,
                                        const uint8_t *data,
                                        size_t len,
                                        float *out,
                                        size_t out_len);

/**
 * The same for pixels, which are as for `tailfold_classify_pixels`.
 *
 * # Safety
 * As for `tailfold_classify_bytes`.
 */
enum TailfoldCode tailfold_logits_pixels(struct TailfoldClassifier *classifier,
                                         const uint8_t *data,
                                         size_t width,
                                         size_t height,
                                         size_t channels,
                                         float *out,
                                         size_t out_len);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TAILFOLD_H */
