/* The smallest program that runs a tailfold model from C: images in, names with probabilities out.
 *
 * classify [--backend NAME] [--fit] MODEL IMAGE...
 *
 * Exit codes: 0 every image was classified, 1 some images failed, 2 no image was classified. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tailfold.h"

#define TOP 3

/* Returns all bytes of a file, which the caller frees; NULL if the file cannot be read. */
static unsigned char *read_file(const char *path, size_t *len) {
  unsigned char *bytes = NULL;
  size_t room = 0;
  FILE *file = fopen(path, "rb");
  *len = 0;
  if (file == NULL) {
    return NULL;
  }
  do {
    if (*len == room) {
      unsigned char *larger;
      room = room == 0 ? 65536 : 2 * room;
      larger = realloc(bytes, room);
      if (larger == NULL) {
        break;
      }
      bytes = larger;
    }
    *len += fread(bytes + *len, 1, room - *len, file);
  } while (!feof(file) && !ferror(file));
  if (!feof(file)) {
    free(bytes);
    bytes = NULL;
  }
  fclose(file);
  return bytes;
}

/* Prints on stderr why `what` failed. */
static void say(const char *what, TailfoldCode code) {
  fprintf(stderr, "%s: %s: %s\n", what, tailfold_error_name(code), tailfold_last_error());
}

/* Classifies the image at `path`; returns 0 on success. */
static int classify(TailfoldClassifier *classifier, const char *path) {
  TailfoldGuess guesses[TOP];
  TailfoldCode code;
  size_t written, i, len;
  unsigned char *bytes = read_file(path, &len);
  if (bytes == NULL) {
    fprintf(stderr, "%s: cannot be read\n", path);
    return 1;
  }
  code = tailfold_classify_bytes(classifier, bytes, len, TOP, guesses, &written);
  free(bytes);
  if (code != TAILFOLD_OK) {
    say(path, code);
    return 1;
  }
  printf("%s\n", path);
  for (i = 0; i < written; i++) {
    const char *name = tailfold_class_name(classifier, guesses[i].class_index);
    printf("%10.6f %%  %s\n", 100 * guesses[i].probability, name);
  }
  return 0;
}

int main(int argc, char **argv) {
  TailfoldOptions options = {0};
  TailfoldClassifier *classifier;
  TailfoldCode code;
  int argument = 1, failed = 0;

  options.size = sizeof options;
  for (; argument < argc && strncmp(argv[argument], "--", 2) == 0; argument++) {
    if (strcmp(argv[argument], "--fit") == 0) {
      options.fit = 1;
    } else if (strcmp(argv[argument], "--backend") == 0 && argument + 1 < argc) {
      options.backend = argv[++argument];
    } else {
      break;
    }
  }
  if (argc - argument < 2 || argv[argument][0] == '-') {
    fprintf(stderr, "usage: classify [--backend NAME] [--fit] MODEL IMAGE...\n");
    return 2;
  }
  code = tailfold_open(argv[argument], &options, &classifier);
  if (code != TAILFOLD_OK) {
    say("cannot open the model", code);
    return 2;
  }
  while (++argument < argc) {
    failed |= classify(classifier, argv[argument]);
  }
  tailfold_close(classifier);
  return failed;
}
