/* contracts.h: what each kernel promises of its arithmetic, once: the kernels are built with these numbers and the verifier judges by them. As
 * constant expressions of C, for tables. */
#ifndef RPP_CUDA_CONTRACTS_H
#define RPP_CUDA_CONTRACTS_H
#include "ropepp.h"

/* Keys between two rescalings of attention_f32.cu. */
#define RPP_CUDA_ATTENTION_F32_KEYS 16

/* Keys between two rescalings of attention_mma.cu: 64, but 32 where the width passes 128. */
#define RPP_CUDA_ATTENTION_MMA_KEYS 32

/* Of the decode kernels: keys between two rescalings, parts of the keys over blocks at most, and in a block. */
#define RPP_CUDA_DECODE_KEYS 16
#define RPP_CUDA_DECODE_SPLITS 64
#define RPP_CUDA_DECODE_WARPS 4

/* rotate.cu: float32 inside, one rounding to the storage type. Of forward's fields it keeps none, since it has no forward. */
#define RPP_CUDA_ROTATE_CONTRACT(storage, model)                                                                                   \
  {                                                                                                                                \
    .input = (storage), .rotated = (storage), .value = RPP_F32, .probability = RPP_F32, .output = (storage), .lse = RPP_F32,       \
    .sums = RPP_SUMS_F32, .sum_depth = 1, .key_tile = 1, .max_splits = 1, .angles = (model),                                       \
    .angle_error = RPP_ANGLES_AS_MODELLED, .deterministic = true                                                                   \
  }

/* attention_f32.cu: float32 throughout, products added one by one. */
#define RPP_CUDA_ATTENTION_F32_CONTRACT(model)                                                                                     \
  {                                                                                                                                \
    .input = RPP_F32, .rotated = RPP_F32, .value = RPP_F32, .probability = RPP_F32, .output = RPP_F32, .lse = RPP_F32,             \
    .sums = RPP_SUMS_F32, .sum_depth = 1, .key_tile = RPP_CUDA_ATTENTION_F32_KEYS, .max_splits = 1, .angles = (model),             \
    .angle_error = RPP_ANGLES_AS_MODELLED, .deterministic = true                                                                   \
  }

/* attention_mma.cu: q, k, weights and out in 16 bits; sums on tensor cores, 16 products at a time. */
#define RPP_CUDA_ATTENTION_MMA_CONTRACT(storage)                                                                                   \
  {                                                                                                                                \
    .input = (storage), .rotated = (storage), .value = (storage), .probability = (storage), .output = (storage), .lse = RPP_F32,   \
    .sums = RPP_SUMS_TENSOR_CORE, .sum_depth = 16, .key_tile = RPP_CUDA_ATTENTION_MMA_KEYS, .max_splits = 1,                       \
    .angles = RPP_ANGLES_EXACT, .angle_error = RPP_ANGLES_AS_MODELLED, .deterministic = true                                       \
  }

/* decode_f32.cu: float32 throughout, products added one by one. */
#define RPP_CUDA_DECODE_F32_CONTRACT                                                                                               \
  {                                                                                                                                \
    .input = RPP_F32, .rotated = RPP_F32, .value = RPP_F32, .probability = RPP_F32, .output = RPP_F32, .lse = RPP_F32,             \
    .sums = RPP_SUMS_F32, .sum_depth = 1, .key_tile = RPP_CUDA_DECODE_KEYS, .max_splits = RPP_CUDA_DECODE_SPLITS,                  \
    .angles = RPP_ANGLES_EXACT, .angle_error = RPP_ANGLES_AS_MODELLED, .deterministic = true                                       \
  }

/* decode_mma.cu: q, k, weights and out in 16 bits; sums on tensor cores, 16 products at a time; a block's parts are merged as well. */
#define RPP_CUDA_DECODE_MMA_CONTRACT(storage)                                                                                      \
  {                                                                                                                                \
    .input = (storage), .rotated = (storage), .value = (storage), .probability = (storage), .output = (storage), .lse = RPP_F32,   \
    .sums = RPP_SUMS_TENSOR_CORE, .sum_depth = 16, .key_tile = RPP_CUDA_DECODE_KEYS,                                               \
    .max_splits = RPP_CUDA_DECODE_SPLITS + RPP_CUDA_DECODE_WARPS, .angles = RPP_ANGLES_EXACT,                                      \
    .angle_error = RPP_ANGLES_AS_MODELLED, .deterministic = true                                                                   \
  }

#endif
