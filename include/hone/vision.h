/* Hone's C interface to pictures: libhone_vision, on top of libhone or libhone_runtime. The rules of hone.h
 * hold here too (errors, structs, ownership, threads).
 *
 *   hone_image* image;  hone_vision* vision;  size_t i;
 *   hone_detection d = {sizeof d};
 *   st = hone_image_read("belt.jpg", &image);
 *   st = hone_vision_load("parts.hone", NULL, &vision);
 *   st = hone_vision_run(vision, hone_image_picture(image));
 *   for (i = 0; i < hone_vision_detection_count(vision); i++) st = hone_vision_detection(vision, i, &d);
 */
#ifndef HONE_VISION_H
#define HONE_VISION_H

#include "hone/hone.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- pictures */

/* In the order of the bytes in memory. */
typedef enum hone_pixels {
  HONE_GRAY8 = 0,
  HONE_RGB8 = 1,
  HONE_BGR8 = 2,
  HONE_RGBA8 = 3,
  HONE_BGRA8 = 4
} hone_pixels;

/* Pixels that someone else owns: a frame of a camera, for instance. Rows from top to bottom. */
typedef struct hone_picture {
  size_t size;
  const unsigned char* data;
  int width, height; /* pixels; at most 32768 a side and 2^27 in all */
  int64_t stride;    /* bytes from a row to the next; 0: no gaps */
  hone_pixels pixels;
} hone_picture;

typedef struct hone_image hone_image; /* pixels of its own */

/* Reads a JPEG, PNG, WebP, BMP, PPM, TIFF or JPEG 2000 file; turned upright as its EXIF data say. */
HONE_API hone_status* hone_image_read(const char* path, hone_image** image);
/* The same from the bytes of a file. */
HONE_API hone_status* hone_image_decode(const void* bytes, size_t byte_count, hone_image** image);
/* A copy, as RGB8 (what hone_vision_draw takes). */
HONE_API hone_status* hone_image_copy(const hone_picture* picture, hone_image** image);
/* The image's pixels; live as long as it. */
HONE_API const hone_picture* hone_image_picture(const hone_image* image);
HONE_API void hone_image_free(hone_image* image);
/* Writes .jpg or .png, as the path ends: to a temporary, then renamed. */
HONE_API hone_status* hone_picture_write(const hone_picture* picture, const char* path);

/* From now on engines that decode pictures themselves (operator ImageDecoder) do so by this library. */
HONE_API void hone_vision_serve_models(void);

/* ---- answers */

/* An engine with its task: what pictures become, and what the outputs mean. Belongs to one thread at a time.
 */
typedef struct hone_vision hone_vision;

typedef enum hone_task {
  HONE_CLASSIFY = 0,
  HONE_DETECT = 1,
  HONE_SEGMENT = 2,
  HONE_POSE = 3,
  HONE_RAW = 4 /* outputs are not interpreted */
} hone_task;

typedef struct hone_vision_options {
  size_t size;
  const char* task;   /* text of a task (docs/tasks.md); NULL: the one that the engine carries */
  const char* preset; /* or the name of a built-in one */
  int threads;        /* as in hone_session_options */
  float min_score;    /* of a detection; 0: as the task has it */
} hone_vision_options;

/* Loads an engine file (with libhone, a model will do). Without task and preset it must carry a task, or be
 * of a kind that leaves no doubt. */
HONE_API hone_status* hone_vision_load(const char* engine_path, const hone_vision_options* options,
                                       hone_vision** vision);
/* The same for an engine at hand, of which it keeps what it needs. */
HONE_API hone_status* hone_vision_create(const hone_engine* engine, const hone_vision_options* options,
                                         hone_vision** vision);
HONE_API void hone_vision_free(hone_vision* vision);
HONE_API hone_task hone_vision_task(const hone_vision* vision);
/* Name of class `label`; NULL: it has none. Lives as long as `vision`. */
HONE_API const char* hone_vision_label(const hone_vision* vision, int label);

HONE_API hone_status* hone_vision_run(hone_vision* vision, const hone_picture* picture);

/* What follows speaks of the last run, and lives until the next. */

typedef struct hone_class {
  size_t size;
  int label;
  float score; /* 0..1 */
} hone_class;

typedef struct hone_keypoint {
  float x, y, score;
} hone_keypoint;

/* Pixels of the picture, from the top left corner of its top left pixel. */
typedef struct hone_detection {
  size_t size;
  float x0, y0, x1, y1;
  int label;
  float score; /* 0..1 */
  const hone_keypoint* keypoints;
  size_t keypoint_count;
} hone_detection;

/* A class for each pixel of the picture, row by row. */
typedef struct hone_label_map {
  size_t size;
  int width, height;
  const uint16_t* labels;
} hone_label_map;

/* Best first. Counts are 0 where the task gives no such answers. */
HONE_API size_t hone_vision_class_count(const hone_vision* vision);
HONE_API hone_status* hone_vision_class(const hone_vision* vision, size_t index, hone_class* answer);
HONE_API size_t hone_vision_detection_count(const hone_vision* vision);
HONE_API hone_status* hone_vision_detection(const hone_vision* vision, size_t index, hone_detection* answer);
/* Errors: the task is not HONE_SEGMENT. */
HONE_API hone_status* hone_vision_label_map(hone_vision* vision, hone_label_map* map);
/* Draws the answers into an image of the size of the picture. */
HONE_API hone_status* hone_vision_draw(hone_vision* vision, hone_image* image);

#ifdef __cplusplus
}
#endif
#endif
