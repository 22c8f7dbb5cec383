/* emulated_kernels.c: the clean emulated kernels: one for each kind of contract there is. */
#include "kernels/emulate.h"
#include "kernels/emulate_contracts.h"

rpp_contract rpp_emulated_contract(rpp_dtype storage) {
  static const rpp_contract f64 = RPP_CONTRACT_F64, f32 = RPP_CONTRACT_F32, f16 = RPP_CONTRACT_F16, bf16 = RPP_CONTRACT_BF16;
  return storage == RPP_F64 ? f64 : storage == RPP_F32 ? f32 : storage == RPP_F16 ? f16 : bf16;
}

#define KERNEL(variable, word, line, promised)                                                                                     \
  static const rpp_emulation variable##_arithmetic = {.contract = promised};                                                       \
  static const rpp_kernel variable = {.version = RPP_KERNEL_VERSION,                                                               \
                                      .name = (word),                                                                              \
                                      .description = (line),                                                                       \
                                      .contract = promised,                                                                        \
                                      .data = &variable##_arithmetic,                                                              \
                                      .supports = rpp_emulate_supports,                                                            \
                                      .rotate = rpp_emulate_rotate,                                                                \
                                      .forward = rpp_emulate_forward}

KERNEL(f64, "emulated-f64", "float64 throughout, tiles of 16 keys, CPU", RPP_CONTRACT_F64);
KERNEL(f32, "emulated-f32", "float32 throughout, tiles of 16 keys, CPU", RPP_CONTRACT_F32);
KERNEL(f16, "emulated-f16", "float16 on emulated tensor cores, tiles of 64 keys, CPU", RPP_CONTRACT_F16);
KERNEL(bf16, "emulated-bf16", "bfloat16 on emulated tensor cores, tiles of 64 keys, CPU", RPP_CONTRACT_BF16);
KERNEL(bf16_split, "emulated-bf16-split", "the same in tiles of 16 keys and up to 4 splits, CPU", RPP_CONTRACT_BF16_SPLIT);
KERNEL(bf16_each, "emulated-bf16-each", "bfloat16, the rotation as Hugging Face does it: hf-f32 angles, each product stored, CPU",
       RPP_CONTRACT_BF16_EACH);
KERNEL(f32_angles, "emulated-f32-angles", "float32 throughout, angles from float32 products, CPU", RPP_CONTRACT_F32_ANGLES);

const rpp_kernel *const rpp_emulated_kernels[] = {&f64, &f32, &f16, &bf16, &bf16_split, &bf16_each, &f32_angles, NULL};
