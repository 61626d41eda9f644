/* The same in C: 01_run ENGINE */
#include <stdio.h>
#include <stdlib.h>

#include "hone/hone.h"

/* Prints and frees a failure; 1 if there was one. */
static int failed(hone_status* status) {
  if (!status) return 0;
  fprintf(stderr, "01_run: %s\n", hone_status_message(status));
  hone_status_free(status);
  return 1;
}

static hone_status* set_ones(hone_session* session, size_t index, const hone_value_info* info,
                             float** pixels) {
  hone_tensor t = {sizeof t};
  size_t n = 1, i;
  int k;
  t.kind = HONE_TENSOR;
  t.dtype = HONE_F32;
  t.rank = info->rank < 0 ? 0 : info->rank;
  for (k = 0; k < t.rank; k++) n *= (size_t)(t.dims[k] = info->dims[k] < 0 ? 1 : info->dims[k]);
  *pixels = malloc(n * sizeof(float));
  for (i = 0; *pixels && i < n; i++) (*pixels)[i] = 1.0f;
  t.data = *pixels;
  t.bytes = n * sizeof(float);
  return hone_session_set_input(session, index, &t);
}

int main(int argc, char** argv) {
  hone_engine* engine = NULL;
  hone_session* session = NULL;
  hone_value_info info = {sizeof info};
  hone_tensor out = {sizeof out};
  float** pixels = NULL;
  size_t inputs, i, k;
  int bad = 0;
  if (argc != 2) return fprintf(stderr, "usage: 01_run ENGINE\n"), 2;
  if (failed(hone_engine_load(argv[1], NULL, &engine))) return 1;
  bad = failed(hone_session_create(engine, NULL, &session));
  inputs = hone_engine_input_count(engine);
  pixels = calloc(inputs + 1, sizeof *pixels);
  for (i = 0; !bad && i < inputs; i++)
    bad = failed(hone_engine_input(engine, i, &info)) || failed(set_ones(session, i, &info, &pixels[i]));
  bad = bad || failed(hone_session_run(session));
  for (i = 0; !bad && i < hone_engine_output_count(engine); i++) {
    bad = failed(hone_engine_output(engine, i, &info)) || failed(hone_session_output(session, i, &out));
    if (bad || out.dtype != HONE_F32) continue;
    printf("%s:", info.name);
    for (k = 0; k < out.bytes / sizeof(float) && k < 8; k++) printf(" %g", ((const float*)out.data)[k]);
    printf("\n");
  }
  hone_session_free(session);
  hone_engine_free(engine);
  for (i = 0; pixels && i < inputs; i++) free(pixels[i]);
  free(pixels);
  return bad;
}
