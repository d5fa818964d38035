// Parameters of every kernel: plain structs that the host fills and passes by value, the one argument of the
// kernel of the same stem (Conv2dParams -> conv2d_*). Shared by device code, the CUDA backend, the emulator and
// the catalogue, so only C types. Pointers are device addresses. "T" is the kernel's type: float, f16 or bf16.
//
// Activations are NHWC with a pitch: element (n, y, x, c) of a tensor lies at ((n * h + y) * w + x) * pitch + c.
// Wherever a kernel moves 16-byte vectors, pointers are 16-byte aligned and channels and pitches are multiples of
// VEC = 16 / sizeof(T) (4 for float, 8 for f16 and bf16). Channels that pad a tensor up to VEC hold zeros.
#pragma once

// ---- image/ ----------------------------------------------------------------------------------------------

// Where the first convolution reads a photograph: rows of `row` pixels of `channels` elements, image after image
// `image_stride` elements apart, with a margin of zeros around it that nobody writes again.
struct InputLayout {
    void* y;                // T
    long long image_stride; // elements
    int height, width;      // pixels written
    int row;                // pixels from one row to the next, >= left + width
    int channels;           // elements per pixel, a multiple of 4: 3 colours, then zeros
    int top, left;          // margin before the first row and pixel
    int step;               // pixel (y, x) is pixel (y * step, x * step) of the full-size input
};

// preprocess_*: one u8 image -> TensorFlow 1 bilinear resize (align_corners false) -> crop (of the whole picture: all of
// it) -> minus mean.
struct PreprocessParams {
    const unsigned char* image;
    long long stride;          // bytes per row
    int width, height;         // of the image
    int format;                // MIRROR_FORMAT_*: 0 RGB, 1 RGBA, 2 BGRA, 3 grey
    int resized_height, resized_width;  // of the whole image (native/src/backend/resize.h)
    int crop_top, crop_left;   // of the crop in it
    float mean_r, mean_g, mean_b;
    InputLayout out;           // one image
};

// pack_*: x [n, height, width, c] float dense -> InputLayout (step applied; channels c.. are zeros).
struct PackParams {
    const float* x;
    int n, height, width, c;
    InputLayout out;
};

// unpack_*: x [rows, x_pitch] T -> y [rows, c] float dense.
struct UnpackParams {
    const void* x;
    float* y;
    long long rows;
    int x_pitch, c;
};

// ---- conv/ -----------------------------------------------------------------------------------------------

// conv2d_*: y = relu?(conv(x, w) + bias (+ residual)).
//   x [n, h, w, x_pitch] T, c channels of it          w [k, r, s, c] T, dense
//   bias [k] float                                     residual, y [n, p, q, y_pitch] T, k channels; may be equal
// Filter tap (i, j) of output pixel (oy, ox) reads input pixel (oy * stride_h - pad_top + i, ox * stride_w -
// pad_left + j); pixels outside [0, h) x [0, w) are zeros. c may exceed x_pitch: then a "pixel" of c elements spans
// its neighbours (the first layer reads 8 pixels of 4 channels as one of 32), and the caller guarantees that the
// memory behind is readable and that stride_w * x_pitch is a multiple of VEC. n * p * q < 2^31 - 256.
struct Conv2dParams {
    const void* x;
    const void* weights;
    const float* bias;
    const void* residual;  // or null
    void* y;
    int n, h, w, c, x_pitch;
    int k, r, s;
    int p, q, y_pitch;
    int stride_h, stride_w, pad_top, pad_left;
    int relu;
    unsigned* overflow;  // or null: set to 1 where a result does not fit T (f16 only)
    // conv2d_wgmma_* only: four TensorMaps (pixels, filters, residual, output) in device memory, written before the
    // launch; null otherwise.
    const void* maps;
};

// ---- pool/ -----------------------------------------------------------------------------------------------

// pool2d_*: windows as in Conv2dParams. Maximum over the cells inside the image; or the sum of those divided by r * s
// always (padded zeros count, as in mirror_pool2d).
struct Pool2dParams {
    const void* x;
    void* y;
    int n, h, w, c, x_pitch;
    int r, s;
    int p, q, y_pitch;
    int stride_h, stride_w, pad_top, pad_left;
    int average;  // 0 or 1
};

struct Region {  // cells; mirror_region
    int x, y, width, height;
};

// region_pool_*: x [n, h, w, x_pitch] T, c channels -> y + i * y_image_stride + j * c: [count, c] float of image i.
struct RegionPoolParams {
    const void* x;
    float* y;
    const Region* regions;
    long long y_image_stride;  // elements
    int n, h, w, c, x_pitch;
    int count;
    int pool;       // MIRROR_POOL_*: 0 maximum, 1 mean, 2 sqrt(mean(x^2)), 3 mean(max(x, 1e-6)^gem_p)^(1/gem_p)
    int normalize;  // 1: every region vector is scaled to unit length (zeros stay zeros)
    float gem_p;    // 1..32; read with pool 3
};

// ---- norm/ -----------------------------------------------------------------------------------------------

// lrn_*: y = x * (bias + alpha * sum of x^2 over channels c - radius .. c + radius)^-beta, rows of c channels.
struct LrnParams {
    const void* x;
    void* y;
    long long rows;
    int c, x_pitch, y_pitch;
    int radius;
    float alpha, beta, bias;
};

// l2_normalize_f32: rows of dim floats, dense, any alignment; y may be x.
struct L2Params {
    const float* x;
    float* y;
    long long rows;
    int dim;
};

// find_non_finite_f32: *first = min(*first, index of the first NaN or value beyond +-limit in x[0, count)).
struct FindNonFiniteParams {
    const float* x;
    long long count;
    float limit;
    unsigned long long* first;  // the caller writes ~0 before
};

// cast_f16 / cast_bf16: x [rows, c] float -> y [rows, y_pitch] T, channels c.. are zeros.
struct CastParams {
    const float* x;
    void* y;
    long long rows;
    int c, y_pitch;
};

// ---- whiten/ ---------------------------------------------------------------------------------------------

// whiten_f64: out [rows, out_dim] float = L2(x [rows, dim] float * projection^T [out_dim, dim] - offset [out_dim]) in
// double. A row whose projection is not longer than `residue` gives zeros.
struct WhitenParams {
    const float* x;
    const double* projection;
    const double* offset;
    float* out;
    long long rows;
    int dim, out_dim;
    double residue;
};

// column_sums_f64: sums [dim] += column sums of x [rows, dim] float. Deterministic: one block per 32 columns.
struct ColumnSumsParams {
    const float* x;
    double* sums;
    long long rows;
    int dim;
};

// covariance_f64: covariance [dim, dim] += scale * (x - mean)^T (x - mean), both triangles, in double.
struct CovarianceParams {
    const float* x;
    const double* mean;
    double* covariance;
    long long rows;
    int dim;
    double scale;
};

// center_f64: y [rows, dim] double = x - mean: the operand of cuBLAS' symmetric product.
struct CenterParams {
    const float* x;
    const double* mean;
    double* y;
    long long rows;
    int dim;
};

// ---- search/ ---------------------------------------------------------------------------------------------

// score_*, prmac_*: one score per query image and database image from their region vectors.
//   q [nq, regions, dim] T    d [nd, regions, dim] T    scores[i * pitch + j] float
// m_r = max over database regions of <q_r, d_t> (metric 0), or min of the squared Euclidean distance (metric 1, from
// |q|^2 - 2 <q, d> + |d|^2; summed from the differences where the terms cancel). similarity 0 PR-MAC: sum over r of
// m_r, not divided by R; similarity 1 AML: max over r of m_r. Same definition as CpuBackend::similarity.
struct ScoreParams {
    const void* q;
    const void* d;
    float* scores;
    long long nq, nd, pitch;
    int regions, dim;
    int similarity, metric;
    const void* maps;  // prmac_wgmma_* only: three TensorMaps (query, left, right) in device memory
};

// reduce_products_f32: the same scores from products [nq * regions, product_pitch] float that a GEMM wrote (dot metric).
struct ReduceProductsParams {
    const float* products;
    float* scores;
    long long nq, nd, pitch, product_pitch;
    int regions, similarity;
};

// topk_f32: per row of scores [rows, pitch] the k best of n: ids [rows, k], values [rows, k], best first; equal scores
// by lower id. workspace [rows, k rounded up to a power of two] 64-bit words.
struct TopkParams {
    const float* scores;
    int* ids;
    float* values;
    unsigned long long* workspace;
    long long rows, n, pitch;
    int k;
    int smallest;  // 1: small scores are better
};
