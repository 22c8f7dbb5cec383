/* emulate_contracts.h: contracts as constant expressions, for tables of kernels. */
#ifndef RPP_EMULATE_CONTRACTS_H
#define RPP_EMULATE_CONTRACTS_H
#include "ropepp.h"

/* Every store is of one type but LSE's; the last arguments set what differs. */
#define RPP_CONTRACT(storage, wide, how, depth, tile, splits, ...)                                                                 \
  {                                                                                                                                \
    .input = (storage), .rotated = (storage), .value = (storage), .probability = (storage), .output = (storage), .lse = (wide),    \
    .sums = (how), .sum_depth = (depth), .key_tile = (tile), .max_splits = (splits), .deterministic = true, __VA_ARGS__            \
  }

#define RPP_CONTRACT_F64 RPP_CONTRACT(RPP_F64, RPP_F64, RPP_SUMS_F64, 1, 16, 1, .angles = RPP_ANGLES_EXACT)
#define RPP_CONTRACT_F32 RPP_CONTRACT(RPP_F32, RPP_F32, RPP_SUMS_F32, 1, 16, 1, .angles = RPP_ANGLES_EXACT)
#define RPP_CONTRACT_F32_SPLIT RPP_CONTRACT(RPP_F32, RPP_F32, RPP_SUMS_F32, 1, 16, 4, .angles = RPP_ANGLES_EXACT)
#define RPP_CONTRACT_F16 RPP_CONTRACT(RPP_F16, RPP_F32, RPP_SUMS_TENSOR_CORE, 16, 64, 1, .angles = RPP_ANGLES_EXACT)
#define RPP_CONTRACT_BF16 RPP_CONTRACT(RPP_BF16, RPP_F32, RPP_SUMS_TENSOR_CORE, 16, 64, 1, .angles = RPP_ANGLES_EXACT)
#define RPP_CONTRACT_BF16_SPLIT RPP_CONTRACT(RPP_BF16, RPP_F32, RPP_SUMS_TENSOR_CORE, 16, 16, 4, .angles = RPP_ANGLES_EXACT)
#define RPP_CONTRACT_BF16_EACH                                                                                                     \
  RPP_CONTRACT(RPP_BF16, RPP_F32, RPP_SUMS_TENSOR_CORE, 16, 64, 1, .angles = RPP_ANGLES_HF_F32, .rotate_each = true)
#define RPP_CONTRACT_F32_ANGLES                                                                                                    \
  RPP_CONTRACT(RPP_F32, RPP_F32, RPP_SUMS_F32, 1, 16, 1, .angles = RPP_ANGLES_EXACT, .angle_error = RPP_ANGLES_F32_PRODUCT)

#endif
