/* Misuse of the C interface, and its use by several threads. Usage: abuse MODEL IMAGE.png; exit code 0 if all checks hold. */

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tailfold.h"

/* The images of the model: grey, 28 x 28, ten classes. */
#define SIDE 28
#define CLASSES 10

static int failures = 0;

#define CHECK(condition)                                                              \
  do {                                                                                \
    if (!(condition)) {                                                               \
      fprintf(stderr, "line %d: %s (%s)\n", __LINE__, #condition, tailfold_last_error()); \
      failures++;                                                                     \
    }                                                                                 \
  } while (0)

static const char *model;
static unsigned char image[65536];
static size_t image_len;
static float expected[CLASSES];

static int says(const char *part) { return strstr(tailfold_last_error(), part) != NULL; }

static TailfoldClassifier *open_model(void) {
  TailfoldOptions options = {0};
  TailfoldClassifier *classifier = NULL;
  options.size = sizeof options;
  options.backend = "integer";
  CHECK(tailfold_open(model, &options, &classifier) == TAILFOLD_OK);
  return classifier;
}

static void opening(void) {
  TailfoldOptions options = {0};
  TailfoldClassifier *classifier = (TailfoldClassifier *)&options;

  CHECK(tailfold_last_error()[0] == '\0');
  CHECK(tailfold_open(NULL, NULL, &classifier) == TAILFOLD_ARGUMENT);
  CHECK(classifier == NULL && says("`path` is NULL"));
  CHECK(tailfold_open(model, NULL, NULL) == TAILFOLD_ARGUMENT && says("`classifier` is NULL"));
  CHECK(tailfold_open("no such.onnx", NULL, &classifier) == TAILFOLD_FILE && says("no such.onnx"));
  CHECK(classifier == NULL);
  CHECK(tailfold_open("\xff\xfe", NULL, &classifier) == TAILFOLD_ARGUMENT && says("UTF-8"));
  /* A C source is not a model. */
  CHECK(tailfold_open(__FILE__, NULL, &classifier) == TAILFOLD_MODEL);
  CHECK(tailfold_open(model, &options, &classifier) == TAILFOLD_ARGUMENT && says("0 bytes"));
  options.size = sizeof options;
  options.backend = "abacus";
  CHECK(tailfold_open(model, &options, &classifier) == TAILFOLD_ARGUMENT && says("`abacus`"));
  options.backend = "\xff";
  CHECK(tailfold_open(model, &options, &classifier) == TAILFOLD_ARGUMENT && says("UTF-8"));
  tailfold_close(NULL);
  CHECK(strcmp(tailfold_error_name(TAILFOLD_PANIC), "TAILFOLD_PANIC") == 0);
  CHECK(strcmp(tailfold_error_name(-7), "unknown") == 0);
  CHECK(strchr(tailfold_version(), '.') != NULL);
}

static void asking(TailfoldClassifier *classifier) {
  TailfoldShape shape;
  TailfoldClassifier *fork = classifier;

  CHECK(tailfold_num_classes(NULL) == 0 && says("NULL"));
  CHECK(tailfold_num_classes(classifier) == CLASSES);
  CHECK(tailfold_class_name(NULL, 0) == NULL);
  CHECK(tailfold_class_name(classifier, CLASSES) == NULL && says("class 10 among 10"));
  CHECK(tailfold_class_name(classifier, UINT32_MAX) == NULL);
  CHECK(tailfold_class_name(classifier, 0) != NULL);
  CHECK(tailfold_input_shape(NULL, &shape) == TAILFOLD_ARGUMENT);
  CHECK(tailfold_input_shape(classifier, NULL) == TAILFOLD_ARGUMENT);
  CHECK(tailfold_input_shape(classifier, &shape) == TAILFOLD_OK);
  CHECK(shape.channels == 1 && shape.height == SIDE && shape.width == SIDE);
  CHECK(tailfold_fork(NULL, &fork) == TAILFOLD_ARGUMENT && fork == NULL);
  CHECK(tailfold_fork(classifier, NULL) == TAILFOLD_ARGUMENT);
}

static void bad_images(TailfoldClassifier *c) {
  TailfoldGuess guesses[CLASSES + 5];
  size_t written = 7;
  size_t len;

  CHECK(tailfold_classify_bytes(NULL, image, image_len, 3, guesses, &written) == TAILFOLD_ARGUMENT);
  CHECK(written == 0);
  CHECK(tailfold_classify_bytes(c, NULL, 7, 3, guesses, &written) == TAILFOLD_ARGUMENT);
  CHECK(tailfold_classify_bytes(c, image, SIZE_MAX, 3, guesses, &written) == TAILFOLD_ARGUMENT);
  CHECK(tailfold_classify_bytes(c, image, image_len, 3, NULL, &written) == TAILFOLD_ARGUMENT);
  CHECK(tailfold_classify_bytes(c, image, image_len, 3, guesses, NULL) == TAILFOLD_ARGUMENT);
  CHECK(tailfold_classify_bytes(c, image, 0, 3, guesses, &written) == TAILFOLD_IMAGE);
  CHECK(tailfold_classify_bytes(c, NULL, 0, 3, guesses, &written) == TAILFOLD_IMAGE);
  /* A truncated PNG is refused, except if only its last chunk is cut. */
  for (len = 1; len + 12 < image_len; len += 7) {
    CHECK(tailfold_classify_bytes(c, image, len, 3, guesses, &written) == TAILFOLD_IMAGE);
    CHECK(written == 0);
  }
}

static void good_images(TailfoldClassifier *c) {
  TailfoldGuess guesses[CLASSES + 5];
  size_t written = 7, i;
  double sum = 0;

  CHECK(tailfold_classify_bytes(c, image, image_len, 0, NULL, &written) == TAILFOLD_OK);
  CHECK(written == 0);
  memset(guesses, 0xee, sizeof guesses);
  CHECK(tailfold_classify_bytes(c, image, image_len, CLASSES + 5, guesses, &written) == TAILFOLD_OK);
  CHECK(written == CLASSES);
  for (i = 0; i < CLASSES; i++) {
    CHECK(guesses[i].class_index < CLASSES);
    CHECK(i == 0 || guesses[i].probability <= guesses[i - 1].probability);
    sum += guesses[i].probability;
  }
  CHECK(fabs(sum - 1) < 1e-9);
  CHECK(guesses[CLASSES].class_index == 0xeeeeeeee);
  /* `guesses` needs room for the classes only, not for `top`. */
  CHECK(tailfold_classify_bytes(c, image, image_len, SIZE_MAX, guesses, &written) == TAILFOLD_OK);
  CHECK(written == CLASSES);
}

static void pixels(TailfoldClassifier *c) {
  static const unsigned char grey[SIDE * SIDE];
  static const unsigned char colour[SIDE * SIDE * 3];
  TailfoldGuess of_grey, of_colour;
  size_t written;
  float out[CLASSES];

  CHECK(tailfold_classify_pixels(c, grey, SIDE, SIDE, 1, 1, &of_grey, &written) == TAILFOLD_OK);
  CHECK(written == 1);
  /* Black pixels have the same class in grey and in colour. */
  CHECK(tailfold_classify_pixels(c, colour, SIDE, SIDE, 3, 1, &of_colour, &written) == TAILFOLD_OK);
  CHECK(of_grey.class_index == of_colour.class_index);
  CHECK(tailfold_classify_pixels(c, grey, SIDE, SIDE, 2, 1, &of_grey, &written) == TAILFOLD_ARGUMENT);
  CHECK(says("not 2"));
  CHECK(tailfold_classify_pixels(c, grey, SIDE, SIDE, 0, 1, &of_grey, &written) == TAILFOLD_ARGUMENT);
  CHECK(tailfold_classify_pixels(c, grey, 0, SIDE, 1, 1, &of_grey, &written) == TAILFOLD_ARGUMENT);
  CHECK(tailfold_classify_pixels(c, grey, SIZE_MAX, 2, 1, 1, &of_grey, &written) == TAILFOLD_ARGUMENT);
  CHECK(tailfold_classify_pixels(c, grey, SIZE_MAX / 3, 1, 3, 1, &of_grey, &written) == TAILFOLD_ARGUMENT);
  CHECK(tailfold_classify_pixels(c, NULL, SIDE, SIDE, 1, 1, &of_grey, &written) == TAILFOLD_ARGUMENT);
  /* Without `fit`, another size is refused. */
  CHECK(tailfold_classify_pixels(c, grey, SIDE - 1, SIDE, 1, 1, &of_grey, &written) == TAILFOLD_IMAGE);

  CHECK(tailfold_logits_pixels(c, grey, SIDE, SIDE, 1, out, CLASSES) == TAILFOLD_OK);
  CHECK(tailfold_logits_pixels(c, grey, SIDE, SIDE, 1, out, CLASSES - 1) == TAILFOLD_ARGUMENT);
  CHECK(says("9 logits") && says("10 classes"));
  CHECK(tailfold_logits_bytes(c, image, image_len, NULL, CLASSES) == TAILFOLD_ARGUMENT);
  CHECK(tailfold_logits_bytes(c, image, 0, out, CLASSES) == TAILFOLD_IMAGE);
  CHECK(tailfold_logits_bytes(NULL, image, image_len, out, CLASSES) == TAILFOLD_ARGUMENT);
}

/* Each thread has its own handle and its own message. */
static void *work(void *handle) {
  TailfoldClassifier *classifier = handle;
  long wrong = 0;
  int turn;
  for (turn = 0; turn < 20; turn++) {
    float out[CLASSES];
    wrong += tailfold_logits_bytes(classifier, image, image_len, out, CLASSES) != TAILFOLD_OK;
    wrong += memcmp(out, expected, sizeof out) != 0;
    wrong += tailfold_logits_bytes(classifier, image, image_len, out, 1) != TAILFOLD_ARGUMENT;
    wrong += !says("1 logits");
  }
  tailfold_close(classifier);
  return (void *)wrong;
}

static void threads(TailfoldClassifier *classifier) {
  pthread_t started[2];
  int i;
  CHECK(tailfold_logits_bytes(classifier, image, image_len, expected, CLASSES) == TAILFOLD_OK);
  CHECK(tailfold_num_classes(NULL) == 0);
  for (i = 0; i < 2; i++) {
    TailfoldClassifier *fork = NULL;
    CHECK(tailfold_fork(classifier, &fork) == TAILFOLD_OK);
    CHECK(pthread_create(&started[i], NULL, work, fork) == 0);
  }
  /* Forks outlive the handle that they were made from. */
  tailfold_close(classifier);
  for (i = 0; i < 2; i++) {
    void *wrong = NULL;
    CHECK(pthread_join(started[i], &wrong) == 0 && wrong == NULL);
  }
  CHECK(says("`classifier` is NULL"));
}

int main(int argc, char **argv) {
  FILE *file;
  int turn;
  if (argc != 3 || (file = fopen(argv[2], "rb")) == NULL) {
    fprintf(stderr, "usage: abuse MODEL IMAGE.png\n");
    return 2;
  }
  model = argv[1];
  image_len = fread(image, 1, sizeof image, file);
  fclose(file);

  opening();
  {
    TailfoldClassifier *classifier = open_model();
    asking(classifier);
    bad_images(classifier);
    good_images(classifier);
    pixels(classifier);
    threads(classifier);
  }
  for (turn = 0; turn < 100; turn++) {
    tailfold_close(open_model());
  }
  return failures != 0;
}
