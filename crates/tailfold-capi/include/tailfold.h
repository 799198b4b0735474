/* tailfold: image classification with long-tailed models. Made by cbindgen; do not edit.
 *
 * A call returns a code; tailfold_last_error returns the message of the calling thread. Functions write only to memory
 * of the caller and keep no pointers to it: paths, options and images may be freed after the call.
 *
 * Threads: the caller must ensure that only one thread uses a handle at a time. Different threads may use different
 * handles at the same time, including forks of one model; tailfold_fork makes another handle over the same weights.
 */

#ifndef TAILFOLD_H
#define TAILFOLD_H

#include <stddef.h>
#include <stdint.h>

/**
 * The result of a call. Later versions may add codes: treat an unknown code as a failure.
 */
typedef enum TailfoldCode {
  /**
   * The call succeeded.
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
   * The file is not a usable model: it is not ONNX, is invalid, or lacks metadata.
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
   * The image cannot be decoded, or does not have the model's size.
   */
  TAILFOLD_IMAGE = 6,
  /**
   * The network failed, or a logit is NaN or infinite.
   */
  TAILFOLD_RUN = 7,
  /**
   * An internal error of the library. The handle is unusable from now on; close it.
   */
  TAILFOLD_PANIC = 8,
} TailfoldCode;

/**
 * A model that is ready to run, with its class names and its preprocessing.
 */
typedef struct TailfoldClassifier TailfoldClassifier;

/**
 * Options of `tailfold_open`. Set the structure to zero, then set `size`, then the fields that you need:
 * `TailfoldOptions options = {0}; options.size = sizeof options;`
 *
 * Later versions may add fields at the end; zero in a new field keeps the old behaviour.
 */
typedef struct TailfoldOptions {
  /**
   * Size of this structure in the caller's version of the header: `sizeof(TailfoldOptions)`.
   */
  size_t size;
  /**
   * The back end: `"integer"`, `"tract"` or `"tract-stock"`. NULL selects the back end of this build that runs the
   * most models.
   */
  const char *backend;
  /**
   * Largest number of threads that share one image; 0 and 1 mean the calling thread alone. The answer does not
   * depend on it.
   */
  uint32_t threads;
  /**
   * If not 0, images of any size are resized and cropped to the network's input size, unless the model's metadata
   * has a resize of its own.
   */
  uint32_t fit;
} TailfoldOptions;

/**
 * Shape of the network's input.
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
 * A class and its probability.
 */
typedef struct TailfoldGuess {
  /**
   * Index of the class, from 0; `tailfold_class_name` returns its name.
   */
  uint32_t class_index;
  /**
   * Between 0 and 1: the softmax over all logits, or the sigmoid of the class's own logit for a model that ends in
   * Sigmoid.
   */
  double probability;
} TailfoldGuess;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Returns the name of `code`, such as `"TAILFOLD_IMAGE"`, or `"unknown"` for a number that is not a code of this
 * version. The text is static.
 */
const char *tailfold_error_name(int code);

/**
 * Returns the version of this library, such as `"0.1.0"`. The text is static.
 */
const char *tailfold_version(void);

/**
 * Returns the message of the latest failed call of this thread, with its causes, in UTF-8; `""` if no call has failed.
 *
 * The text belongs to the library and is valid until the next call of this thread.
 */
const char *tailfold_last_error(void);

/**
 * Reads the model file at `path` (UTF-8) and prepares it to run. `*classifier` becomes the handle, which
 * `tailfold_close` frees, or NULL after a failure. NULL for `options` means the defaults.
 *
 * # Safety
 * `path` is NULL or ends with a NUL; `options` is NULL or set as its documentation describes; `classifier` is NULL or
 * can be written to.
 */
enum TailfoldCode tailfold_open(const char *path,
                                const struct TailfoldOptions *options,
                                struct TailfoldClassifier **classifier);

/**
 * Makes another handle over the same weights, for another thread; `*fork` is NULL after a failure. Close both handles,
 * in any order.
 *
 * # Safety
 * `classifier` is NULL or an open handle that no other thread uses during the call; `fork` is NULL or can be written
 * to.
 */
enum TailfoldCode tailfold_fork(const struct TailfoldClassifier *classifier,
                                struct TailfoldClassifier **fork);

/**
 * Frees a handle and its class names. NULL is allowed.
 *
 * # Safety
 * `classifier` is NULL or an open handle that the caller does not use again.
 */
void tailfold_close(struct TailfoldClassifier *classifier);

/**
 * Returns the number of classes, at least 1; 0 for NULL.
 *
 * # Safety
 * `classifier` is NULL or an open handle.
 */
size_t tailfold_num_classes(const struct TailfoldClassifier *classifier);

/**
 * Returns the name of a class in UTF-8, or NULL for a class that does not exist. The text belongs to the handle and is
 * valid until the handle is closed.
 *
 * # Safety
 * `classifier` is NULL or an open handle.
 */
const char *tailfold_class_name(const struct TailfoldClassifier *classifier,
                                uint32_t class_index);

/**
 * Writes the shape of the network's input to `shape`. Images that are not resized must have this height and width.
 *
 * # Safety
 * `classifier` is NULL or an open handle; `shape` is NULL or can be written to.
 */
enum TailfoldCode tailfold_input_shape(const struct TailfoldClassifier *classifier,
                                       struct TailfoldShape *shape);

/**
 * Classifies an image file's `len` bytes: JPEG, PNG, BMP, WebP or PNM.
 *
 * Writes the `top` most likely classes to `guesses`, which has room for `top`, the most likely class first. `*written`
 * is their number: at most the number of classes, and 0 after a failure.
 *
 * # Safety
 * `classifier` is NULL or an open handle that no other thread uses during the call; `data`, `guesses` and `written`
 * are NULL or have the given sizes.
 */
enum TailfoldCode tailfold_classify_bytes(struct TailfoldClassifier *classifier,
                                          const uint8_t *data,
                                          size_t len,
                                          size_t top,
                                          struct TailfoldGuess *guesses,
                                          size_t *written);

/**
 * As `tailfold_classify_bytes`, for decoded pixels. `data` has `width * height * channels` bytes without gaps: rows
 * from top to bottom, pixels from left to right, and `channels` bytes per pixel, 1 (grey) or 3 (red, green, blue).
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
 * Writes the logits of an image file's `len` bytes to `out`, in label order and natural-log units. `out_len` must be
 * the number of classes.
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
 * As `tailfold_logits_bytes`, for decoded pixels in the form of `tailfold_classify_pixels`.
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
