/* mirror.h: the whole C ABI of libmirror, the native core of Mirror.
 *
 * Mirror finds, in a collection of photographs, the pairs that show the same surface with a large overlap:
 * convolutional backbone -> regional pooling -> PCA whitening -> region-to-region similarity (PR-MAC) -> top-k.
 * It re-implements MIRorR (Shen et al., "Matchable Image Retrieval by Learning from Surface Reconstruction", ACCV 2018).
 *
 *     mirror_device* device;  mirror_model* model;  mirror_extractor* extractor;  mirror_index* index;
 *     mirror_extractor_options options;
 *     mirror_extractor_options_init(&options);
 *     if (mirror_device_create(&device, "cpu", 0) || mirror_model_load(&model, "default.safetensors", NULL) ||
 *         mirror_extractor_create(&extractor, device, model, &options)) puts(mirror_last_error());
 *     mirror_extractor_info info = {sizeof info};
 *     mirror_extractor_get_info(extractor, &info);
 *     float* rows = malloc(count * info.regions * info.dim * sizeof(float));
 *     mirror_extractor_run(extractor, images, count, rows, NULL);              decoded pixels in, [count, R, D] out
 *     mirror_l2_normalize(device, rows, count * info.regions, info.dim, rows);
 *     mirror_index_create(&index, device, info.regions, info.dim, MIRROR_PRECISION_FP32);
 *     mirror_index_add(index, rows, count);
 *     mirror_index_search(index, rows, count, &search_options, ids, scores);   every image against every image
 *
 * Conventions. Fallible functions return mirror_status: 0 is success, negative codes are failures. Then *_create, _load,
 * _fit and _learn set their output to NULL, and a run or search that failed or was cancelled half way may have written a part of its
 * outputs; the reason, with its values, is in mirror_last_error() of the same thread. NaN and infinity are refused.
 * A handle is used by one thread at a time; different handles may be used concurrently. Destroying NULL is fine, and
 * destroying a parent before its children is fine: children keep what they need alive. Arrays are dense, row-major, in
 * the caller's memory; inputs and outputs must not overlap unless said otherwise. Feature maps are NHWC; convolution
 * kernels HWIO (TensorFlow's). The library never prints, exits or aborts. Option structs start with struct_size;
 * fill them with their _init function, then change fields. Strings are UTF-8.
 */
#ifndef MIRROR_MIRROR_H
#define MIRROR_MIRROR_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#if defined(MIRROR_BUILD)
#define MIRROR_API __declspec(dllexport)
#else
#define MIRROR_API __declspec(dllimport)
#endif
#else
#define MIRROR_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status ------------------------------------------------------------------------------------------------------- */

typedef int32_t mirror_status;

#define MIRROR_OK 0
#define MIRROR_E_INVALID_ARGUMENT (-1) /* a value out of range, a NULL, shapes that do not fit */
#define MIRROR_E_NOT_FOUND (-2)        /* no such file, network, layer or tensor */
#define MIRROR_E_IO (-3)               /* the operating system refused a read or write */
#define MIRROR_E_FORMAT (-4)           /* a file that is not what it should be */
#define MIRROR_E_OUT_OF_MEMORY (-5)    /* host or device memory */
#define MIRROR_E_NO_DEVICE (-6)        /* the device asked for is not in this build or machine */
#define MIRROR_E_CUDA (-7)             /* a CUDA call failed */
#define MIRROR_E_DEVICE_LOST (-8)      /* an earlier CUDA failure made the device unusable */
#define MIRROR_E_CANCELLED (-9)        /* the progress callback asked to stop */
#define MIRROR_E_INTERNAL (-10)        /* a defect of the library */

/* ---- Library ------------------------------------------------------------------------------------------------------ */

#define MIRROR_ABI_VERSION 3u

/* The ABI of the loaded library: compare with MIRROR_ABI_VERSION once, before anything else. */
MIRROR_API uint32_t mirror_abi_version(void);
/* "0.1.0"; borrowed, lives as long as the library. */
MIRROR_API const char* mirror_version(void);
/* One JSON object: version, git_hash, compiler, cpu, instruction_sets, libraries (name, version or null, detail),
 * backends; of the CPU backend cpu, cores, memory_bytes, instruction_sets; of the CUDA backend gpus (device, name, compute_capability,
 * multiprocessors, memory_bytes), kernel_images, kernels (what runs on each architecture), kernels_measured_on_hardware.
 * *out_json is borrowed and lives as long as the library. */
MIRROR_API mirror_status mirror_system_info(const char** out_json);
/* Message of the last failure on this thread, one line; borrowed, valid until this thread's next call. Never NULL. */
MIRROR_API const char* mirror_last_error(void);
/* Handles created and not yet destroyed, over all threads: for leak tests. */
MIRROR_API int64_t mirror_live_objects(void);

#define MIRROR_LOG_DEBUG 0
#define MIRROR_LOG_INFO 1
#define MIRROR_LOG_WARNING 2

/* `message` is valid during the call only. May be called from any thread; must not call back into the library. */
typedef void (*mirror_log_fn)(int32_t level, const char* message, void* user_data);
/* NULL (the start state) is silent. */
MIRROR_API void mirror_set_log(mirror_log_fn callback, void* user_data);

/* Called between units of work with 0 <= done <= total; a non-zero return stops the call with MIRROR_E_CANCELLED.
 * Called on the calling thread. */
typedef int32_t (*mirror_progress_fn)(int64_t done, int64_t total, void* user_data);

typedef struct mirror_progress {
    mirror_progress_fn callback; /* may be NULL */
    void* user_data;
} mirror_progress;

/* ---- Devices ------------------------------------------------------------------------------------------------------ */

typedef struct mirror_device mirror_device;

#define MIRROR_PRECISION_FP32 0
#define MIRROR_PRECISION_BF16 1
#define MIRROR_PRECISION_FP16 2

#define MIRROR_DEVICE_CPU 0
#define MIRROR_DEVICE_CUDA 1

typedef struct mirror_device_info {
    uint32_t struct_size;
    int32_t kind;           /* MIRROR_DEVICE_* */
    int32_t threads;        /* CPU threads that work uses */
    uint32_t precisions;    /* bit (1u << MIRROR_PRECISION_*) set: supported */
    uint32_t native_half;   /* the same bits, set where the hardware multiplies that type natively (not emulated) */
    uint64_t memory_bytes;  /* memory of the device */
    char name[128];         /* e.g. "AMD EPYC" */
} mirror_device_info;

/* name: "auto", "cpu", "cuda", "cuda:N", or "cuda:N,M,..." for several GPUs that share the work (single operations run on the first).
 * "auto" takes the best device present and logs which and why. threads: CPU threads, 0 = all that the process may use. NO_DEVICE names what was looked
 * for, what was found and what would be needed. */
MIRROR_API mirror_status mirror_device_create(mirror_device** out, const char* name, int32_t threads);

typedef struct mirror_cuda_options {
    uint32_t struct_size;
    int32_t ordinal; /* GPU whose primary context is used where context is NULL */
    void* context;   /* a host's CUcontext, or NULL; must outlive the device and all made on it */
    void* stream;    /* a host's CUstream that all work is ordered with, not the legacy (1) or per-thread (2) default stream; NULL: one of our own */
} mirror_cuda_options;

MIRROR_API void mirror_cuda_options_init(mirror_cuda_options* options);
/* A GPU that a CUDA host (ManagedCuda, cuda-python, a renderer) already uses. Device memory of that context may then be passed, without a copy to
 * the host, to mirror_extractor_run (pixels, out), _run_input, _run_map, mirror_index_add and _search, mirror_whitening_fit and _apply, mirror_l2_normalize,
 * mirror_similarity and mirror_topk. Results are complete when a call returns; inputs must be complete on `stream`, or synchronised, before it.
 * Pointers to device memory must be multiples of 4 bytes (pixels: of 1); memory of another GPU is an INVALID_ARGUMENT, as is any on "cuda:N,M,...". */
MIRROR_API mirror_status mirror_device_create_cuda(mirror_device** out, const mirror_cuda_options* options);
MIRROR_API void mirror_device_destroy(mirror_device* device);
MIRROR_API mirror_status mirror_device_get_info(const mirror_device* device, mirror_device_info* out);

/* ---- Networks and models ------------------------------------------------------------------------------------------ */

/* Networks this library can build: index 0 <= i < count. Names as in the original: "googlenet", "resnet-50", ...; NULL beyond. */
MIRROR_API int32_t mirror_network_count(void);
MIRROR_API const char* mirror_network_name(int32_t index);

typedef struct mirror_tensor_info {
    uint32_t struct_size;
    int32_t rank;      /* 0..4 */
    int64_t dims[4];   /* unused entries are 1 */
    char name[200];    /* TensorFlow variable name, e.g. "conv1_7x7_s2/kernel" (HWIO) */
} mirror_tensor_info;

/* Variables that a network needs (those on the path from input to output), sorted by name in byte order.
 * *out_count is always set; `out` may be NULL or hold `capacity` entries, each with struct_size filled. */
MIRROR_API mirror_status mirror_network_variables(const char* network, mirror_tensor_info* out, int64_t capacity, int64_t* out_count);
/* The network as one JSON object, for exporters: network, layers in execution order, each with name, kind (input, conv, batch_norm, relu, add, max_pool, avg_pool,
 * lrn, concat), inputs (indices of earlier layers), channels of its output, relu (applied last), and where they apply: kernel and stride (square), pad (cells on every
 * side, -1: TensorFlow's SAME), bias (conv has NAME/bias), batch_norm (scope of gamma, beta, moving_mean, moving_variance, eps 1e-5; of a conv: applied after it), and of
 * lrn radius, alpha (per element), beta, lrn_bias. An avg_pool counts padded zeros. *out_json is borrowed and lives as long as the library. */
MIRROR_API mirror_status mirror_network_graph(const char* network, const char** out_json);

typedef struct mirror_model mirror_model;

typedef struct mirror_model_info {
    uint32_t struct_size;
    int32_t channels;      /* D: channels of the output map */
    int32_t min_size;      /* smallest image side the network admits, in pixels */
    int32_t tensors;       /* variables used */
    int64_t parameters;    /* elements in them */
    char network[32];
    char origin[200];      /* free text from the file: what it was imported from */
} mirror_model_info;

/* path: a safetensors file with float32 tensors under TensorFlow's names, memory-mapped. network NULL: taken from the file's metadata
 * ("network"). Missing or misshapen tensors, and bytes that are no valid safetensors file, fail with the tensor and both shapes. */
MIRROR_API mirror_status mirror_model_load(mirror_model** out, const char* path, const char* network);
MIRROR_API void mirror_model_destroy(mirror_model* model);
MIRROR_API mirror_status mirror_model_get_info(const mirror_model* model, mirror_model_info* out);

/* ---- Images ------------------------------------------------------------------------------------------------------- */

#define MIRROR_FORMAT_RGB8 0
#define MIRROR_FORMAT_RGBA8 1 /* alpha is dropped, not blended */
#define MIRROR_FORMAT_BGRA8 2
#define MIRROR_FORMAT_GRAY8 3 /* replicated to R, G and B */

/* How a picture meets the network's input, and how regions meet its map. */
#define MIRROR_FIT_CROP 0  /* the original's: short side to the target, what is longer is cut off; number and size of regions follow the map */
#define MIRROR_FIT_WHOLE 1 /* nothing is cut off: each side to its target; step s gives s x s regions on every map */

typedef struct mirror_image {
    const uint8_t* data; /* first byte of the top row */
    int32_t width;       /* pixels, 1..65535 */
    int32_t height;
    int64_t stride;      /* bytes from one row to the next, >= width * bytes per pixel */
    int32_t format;      /* MIRROR_FORMAT_* */
    int32_t reserved;    /* 0 */
} mirror_image;

/* ---- Extractor: decoded photographs -> regional descriptors -------------------------------------------------------- */

typedef struct mirror_extractor mirror_extractor;

#define MIRROR_POOL_MAX 0
#define MIRROR_POOL_AVG 1
#define MIRROR_POOL_L2 2  /* sqrt(mean(x^2)) */
#define MIRROR_POOL_GEM 3 /* mean(max(x, 1e-6)^p)^(1/p) (Radenovic, Tolias, Chum 2018): p = 1 is the mean, large p approach MAX */

#define MIRROR_MAX_STEPS 8

typedef struct mirror_extractor_options {
    uint32_t struct_size;
    int32_t width;                       /* network input in pixels, default 896 x 896 */
    int32_t height;
    int32_t batch;                       /* images the network runs at once, 1..1024, default 1 */
    int32_t precision;                   /* MIRROR_PRECISION_*, default FP32 */
    int32_t pool;                        /* MIRROR_POOL_*, default MAX */
    int32_t multi_scale;                 /* 0 or 1: also run on the input subsampled by 2 and 4 (original's --multi_scale) */
    int32_t fit;                         /* MIRROR_FIT_*, default CROP */
    float gem_p;                         /* p of MIRROR_POOL_GEM, 1..32, default 3; not read with the others */
    int32_t step_count;                  /* 1..MIRROR_MAX_STEPS */
    int32_t steps[MIRROR_MAX_STEPS];     /* region grid steps, default 1, 3, 5 */
    float mean[3];                       /* subtracted from R, G, B; default 124, 117, 104 */
    const char* layer;                   /* NULL: the network's own output; else stop at this layer of the graph */
} mirror_extractor_options;

typedef struct mirror_extractor_info {
    uint32_t struct_size;
    int32_t regions;        /* R over all scales */
    int32_t dim;            /* D */
    int32_t map_height;     /* feature map of the first scale */
    int32_t map_width;
    int32_t scales;
    int32_t layers;         /* operations of the planned network, first scale */
    int32_t images_at_once; /* per call of mirror_extractor_run, that keep the device busy: batch * devices, on GPUs twice that, so that one batch is
                               uploaded while another is computed */
    int64_t arena_bytes;    /* memory that activations share */
    int64_t weight_bytes;   /* prepared weights */
    double flops;           /* multiply-adds * 2 of one image, all scales */
} mirror_extractor_info;

MIRROR_API void mirror_extractor_options_init(mirror_extractor_options* options);
/* Plans and prepares the network for one input size. INVALID_ARGUMENT where the size is below the network's minimum, every step is skipped
 * at the map size, or the precision is not supported by the device. multi_scale with FIT_CROP admits square 224, 448, 896 and 1024 (the original's: 1,
 * 2, 3 and 3 scales); with FIT_WHOLE every input whose quarter, rounded up, the network admits: always 3 scales. */
MIRROR_API mirror_status mirror_extractor_create(mirror_extractor** out, mirror_device* device, const mirror_model* model, const mirror_extractor_options* options);
MIRROR_API void mirror_extractor_destroy(mirror_extractor* extractor);
MIRROR_API mirror_status mirror_extractor_get_info(const mirror_extractor* extractor, mirror_extractor_info* out);
/* out [count, R, D] float32, raw (not normalised) region vectors. Images may differ in size. Any count >= 0. progress may be NULL.
 * INVALID_ARGUMENT where a value within the network exceeds fp16 (65504) in that precision; `out` is then undefined. */
MIRROR_API mirror_status mirror_extractor_run(mirror_extractor* extractor, const mirror_image* images, int64_t count, float* out, const mirror_progress* progress);
/* The same from preprocessed input: input [count, height, width, 3] float32, mean already subtracted. */
MIRROR_API mirror_status mirror_extractor_run_input(mirror_extractor* extractor, const float* input, int64_t count, float* out, const mirror_progress* progress);
/* The feature map itself (first scale): out [count, map_height, map_width, D]. */
MIRROR_API mirror_status mirror_extractor_run_map(mirror_extractor* extractor, const float* input, int64_t count, float* out, const mirror_progress* progress);

/* ---- Whitening ---------------------------------------------------------------------------------------------------- */

typedef struct mirror_whitening mirror_whitening;

#define MIRROR_SOLVER_EXACT 0      /* all of the covariance, symmetric eigensolver */
#define MIRROR_SOLVER_RANDOMIZED 1 /* scikit-learn's svd_solver="randomized", random_state=0 */
#define MIRROR_SOLVER_AUTO 2       /* scikit-learn's "auto" before 1.5: RANDOMIZED where max(rows, D) > 500 and dim < 0.8 min(rows, D) */

typedef struct mirror_whitening_options {
    uint32_t struct_size;
    int32_t dim;                    /* components kept, 1..min(rows, D); 0: choose by variance, always EXACT */
    double variance;                /* with dim 0: smallest count whose explained-variance ratios sum to more than this, 0 < v < 1 (searchsorted side="right",
                                       scikit-learn from 1.2 on; the versions of MIRorR's time took one component less on an exact tie) */
    int32_t solver;                 /* MIRROR_SOLVER_*, default EXACT */
    int32_t reserved;               /* 0 */
    const mirror_progress* progress; /* may be NULL; counts rows, RANDOMIZED those of every pass over them */
} mirror_whitening_options;

typedef struct mirror_whitening_info {
    uint32_t struct_size;
    int32_t input_dim;   /* D */
    int32_t output_dim;
    int32_t reserved;
    double explained;    /* share of the variance kept, 0..1; NaN where the source did not tell */
} mirror_whitening_info;

MIRROR_API void mirror_whitening_options_init(mirror_whitening_options* options);
/* PCA of rows [count, dim] (double precision, variances with count - 1; Jegou & Chum 2012, scikit-learn's PCA(whiten=True)). Rows are used as given:
 * L2-normalise first for the original's behaviour. count >= 2. RANDOMIZED reads rows in host memory only. */
MIRROR_API mirror_status mirror_whitening_fit(mirror_whitening** out, mirror_device* device, const float* rows, int64_t count, int32_t dim, const mirror_whitening_options* options);
/* Whitening learned from matching pairs (Radenovic et al., "Fine-tuning CNN image retrieval", 2018): queries[i] matches positives[i], both [count, dim] in
 * host memory, count >= max(dim, 2): differences of fewer do not span the space. 1 <= output_dim <= dim. mean: of the queries; S = sum (q - p)(q - p)^T
 * / count; W = chol(S)^-1, with 1e-10, 1e-9, ... added to the diagonal until it exists; components: the largest eigenvectors of
 * sum W (x - mean)(x - mean)^T W^T over queries and positives, times W; variances 1. */
MIRROR_API mirror_status mirror_whitening_learn(mirror_whitening** out, mirror_device* device, const float* queries, const float* positives, int64_t count, int32_t dim, int32_t output_dim);
/* From arrays: mean [D], components [n, D] (rows), variances [n] > 0. */
MIRROR_API mirror_status mirror_whitening_create(mirror_whitening** out, const double* mean, const double* components, const double* variances, int32_t output_dim, int32_t input_dim);
/* safetensors with float64 "mean", "components", "variances". Saving writes a temporary file, then renames. */
MIRROR_API mirror_status mirror_whitening_load(mirror_whitening** out, const char* path);
MIRROR_API mirror_status mirror_whitening_save(const mirror_whitening* whitening, const char* path);
MIRROR_API void mirror_whitening_destroy(mirror_whitening* whitening);
MIRROR_API mirror_status mirror_whitening_get_info(const mirror_whitening* whitening, mirror_whitening_info* out);
/* Copies mean [D], components [n, D], variances [n]; any of them may be NULL. */
MIRROR_API mirror_status mirror_whitening_get(const mirror_whitening* whitening, double* mean, double* components, double* variances);
/* out [count, n] = L2(((rows - mean) components^T) / sqrt(variances)). Computed in double, stored as float. A row equal to the mean gives zeros. */
MIRROR_API mirror_status mirror_whitening_apply(const mirror_whitening* whitening, mirror_device* device, const float* rows, int64_t count, float* out);

/* ---- Index: descriptors of many images, exact search ---------------------------------------------------------------- */

typedef struct mirror_index mirror_index;

/* Score of query image q against database image d, from S[r, t] = <q_r, d_t>, m_r = max_t S[r, t]: */
#define MIRROR_SIMILARITY_PR_MAC 0 /* sum_r m_r (Shen et al. 2018); also r-mac and mac, where R = 1 */
#define MIRROR_SIMILARITY_AML 1    /* max_r m_r */

#define MIRROR_METRIC_DOT 0
#define MIRROR_METRIC_EUCLIDEAN 1 /* S = |q_r|^2 - 2 <q_r, d_t> + |d_t|^2, m_r = min_t; smaller is better, sum_r (AML: max_r) */

typedef struct mirror_search_options {
    uint32_t struct_size;
    int32_t top;                     /* results per query, >= 1, default 200; capped at the size of the index */
    int32_t similarity;              /* MIRROR_SIMILARITY_*, default PR_MAC */
    int32_t metric;                  /* MIRROR_METRIC_*, default DOT */
    const mirror_progress* progress; /* may be NULL; counts queries */
} mirror_search_options;

MIRROR_API void mirror_search_options_init(mirror_search_options* options);
/* Of every image: regions R, 1..4096, and dim D, 1..65536. precision: how descriptors are kept and multiplied, MIRROR_PRECISION_FP32, or FP16 on
 * a GPU (half the memory, tensor cores, float32 sums; the dot metric only). */
MIRROR_API mirror_status mirror_index_create(mirror_index** out, mirror_device* device, int32_t regions, int32_t dim, int32_t precision);
MIRROR_API void mirror_index_destroy(mirror_index* index);
/* Appends rows [count, R, D], copied as given: all of them, or none where the call fails. Refused, with their image and region, are NaN and
 * magnitudes beyond 1e14, or beyond 65504 in an FP16 index; so in the queries of a search. */
MIRROR_API mirror_status mirror_index_add(mirror_index* index, const float* rows, int64_t count);
MIRROR_API mirror_status mirror_index_size(const mirror_index* index, int64_t* out);
/* Exact search. k = min(top, size). ids [count, k], best first, equal scores by lower index; scores [count, k], NOT divided by R.
 * Memory beyond the outputs does not depend on the size of the index. An empty index is an INVALID_ARGUMENT. */
MIRROR_API mirror_status mirror_index_search(const mirror_index* index, const float* queries, int64_t count, const mirror_search_options* options, int32_t* ids, float* scores);

#define MIRROR_PAIRING_SAME 0 /* t(r) = r: the original's */
#define MIRROR_PAIRING_BEST 1 /* t(r) = argmax_t <q_r, d_{j, t}>, the lowest on ties */

typedef struct mirror_expand_options {
    uint32_t struct_size;
    int32_t neighbours;     /* results added to each query, >= 0, default 5; capped at k */
    double alpha;           /* exponent of the weights, >= 0, default 1; 0: plain mean */
    int32_t pairing;        /* MIRROR_PAIRING_*, default SAME */
    int32_t signed_weights; /* 0: w = max(score / R, 0)^alpha (default); 1: w = score / R as it is, the original's: needs alpha 1 */
} mirror_expand_options;

MIRROR_API void mirror_expand_options_init(mirror_expand_options* options);
/* Query expansion (Radenovic et al. 2018, alpha QE): out_r = L2(q_r + sum_{j < neighbours} w_j d_{j, t(r)}), double sums; with signed_weights and SAME
 * MIRorR's. queries/out [count, R, D] may be the same memory; ids/scores [count, k] as search wrote them. Computed on the
 * host: device memory is an INVALID_ARGUMENT. */
MIRROR_API mirror_status mirror_index_expand(const mirror_index* index, const float* queries, int64_t count, const int32_t* ids, const float* scores, int32_t k, const mirror_expand_options* options, float* out);

/* ---- Single operations --------------------------------------------------------------------------------------------- */

/* Resize (TensorFlow 1 legacy bilinear, float32), minus mean[3]. out [height, width, 3]. fit: MIRROR_FIT_CROP takes the short side to the target, then
 * the centre; off-by-one of the original kept: rh = int(ceil(float(h) * ratio)). MIRROR_FIT_WHOLE takes both sides to the target.
 * Source: core/kernels/resize_bilinear_op.cc; image_preprocessing.py. */
MIRROR_API mirror_status mirror_preprocess(mirror_device* device, const mirror_image* image, int32_t height, int32_t width, int32_t fit, const float* mean, float* out);

typedef struct mirror_window {
    uint32_t struct_size;
    int32_t kernel_h, kernel_w; /* 1.. */
    int32_t stride_h, stride_w; /* 1.. */
    int32_t pad_top, pad_left, pad_bottom, pad_right;
} mirror_window;

/* TensorFlow's SAME padding for an input of height x width, written into window's pads: total = max((ceil(n/s)-1)*s + k - n, 0),
 * before = total / 2, after = the rest. */
MIRROR_API mirror_status mirror_window_same(mirror_window* window, int32_t height, int32_t width);
/* y [n, oh, ow, out_c] = relu?(conv(x [n, h, w, in_c], weights [kh, kw, in_c, out_c]) + bias [out_c] + residual [n, oh, ow, out_c]).
 * bias and residual may be NULL; 0 <= pad < kernel. oh = (h + pads - kernel) / stride + 1. precision: arithmetic, MIRROR_PRECISION_* (data stays float32). */
MIRROR_API mirror_status mirror_conv2d(mirror_device* device, const mirror_window* window, const float* x, int32_t n, int32_t h, int32_t w, int32_t in_c, const float* weights, int32_t out_c, const float* bias, const float* residual, int32_t relu, int32_t precision, float* y);
/* pool: MIRROR_POOL_MAX ignores padding; MIRROR_POOL_AVG counts padded zeros and always divides by kernel_h * kernel_w. */
MIRROR_API mirror_status mirror_pool2d(mirror_device* device, const mirror_window* window, int32_t pool, const float* x, int32_t n, int32_t h, int32_t w, int32_t c, float* y);
/* y_c = x_c / (bias + alpha * sum_{|d - c| <= radius} x_d^2)^beta over x [rows, c]; TensorFlow's per-element alpha. */
MIRROR_API mirror_status mirror_lrn(mirror_device* device, const float* x, int64_t rows, int32_t c, int32_t radius, float alpha, float beta, float bias, float* y);

typedef struct mirror_region {
    int32_t step, y, x, height, width; /* in cells of the feature map */
} mirror_region;

/* Regions of a map: *out_count is always set; `out` may be NULL or hold `capacity`. An axis of f cells has, for step s > 1, windows of k cells:
 * MIRROR_FIT_CROP (the original's _rmac) k = 2 * (f / (s + 1)), one every (f - k) / (s - 1) cells as long as they fit (divisions of integers), so that
 * their number depends on f, and none where k is 0. MIRROR_FIT_WHOLE k = max(2 * (f / (s + 1)), ceil(f / s)), and always s of them, together the
 * whole axis: window i starts at i * (f - k) / (s - 1), exact halves rounded down. Step 1 is the whole map in both. */
MIRROR_API mirror_status mirror_region_layout(int32_t map_height, int32_t map_width, int32_t fit, const int32_t* steps, int32_t step_count, mirror_region* out, int64_t capacity, int64_t* out_count);
/* maps [n, h, w, c] -> out [n, R, c], regions as mirror_region_layout has them. gem_p is read with MIRROR_POOL_GEM only, 1..32. */
MIRROR_API mirror_status mirror_region_pool(mirror_device* device, const float* maps, int32_t n, int32_t h, int32_t w, int32_t c, int32_t fit, const int32_t* steps, int32_t step_count, int32_t pool, float gem_p, float* out);
/* y = x / |x| per row of x [count, dim]; zero rows stay zero; y may be x. Double sums. */
MIRROR_API mirror_status mirror_l2_normalize(mirror_device* device, const float* x, int64_t count, int32_t dim, float* y);
/* Image-to-image scores [nq, nd] (similarity and metric as in search, not divided by R) of queries [nq, R, D] and rows [nd, R, D]. */
MIRROR_API mirror_status mirror_similarity(mirror_device* device, const float* queries, int64_t nq, const float* rows, int64_t nd, int32_t regions, int32_t dim, int32_t similarity, int32_t metric, float* scores);
/* The k best of each row of scores [rows, n]: ids, values [rows, k]; largest first, or smallest first; ties by lower index. 1 <= k <= n. */
MIRROR_API mirror_status mirror_topk(mirror_device* device, const float* scores, int64_t rows, int64_t n, int32_t k, int32_t smallest, int32_t* ids, float* values);
/* The plain float32 GEMM the backend is built on: c [m, n] = a [m, k] b[n, k]^T. The yardstick of benchmarks. */
MIRROR_API mirror_status mirror_gemm(mirror_device* device, const float* a, const float* b, int64_t m, int64_t n, int64_t k, int32_t precision, float* c);

#ifdef __cplusplus
}
#endif
#endif /* MIRROR_MIRROR_H */
