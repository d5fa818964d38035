// Every kernel in one translation unit: what cmake/kernels.cmake compiles into the images of libmirror, and
// tests/simt/kernels.cpp for the emulated driver. The files of the last group hold nothing unless compiled for sm_90a
// (common/ptx_sm90.cuh) or for the host.
#include "image/pack.cu"
#include "image/preprocess.cu"

#include "conv/conv2d_f32.cu"
#include "conv/conv2d_mma.cu"

#include "pool/pool2d.cu"
#include "pool/region_pool.cu"

#include "norm/lrn.cu"
#include "norm/rows.cu"

#include "whiten/whiten.cu"

#include "search/prmac_mma.cu"
#include "search/score_f32.cu"
#include "search/topk.cu"

#include "conv/conv2d_wgmma.cu"
#include "search/prmac_wgmma.cu"
