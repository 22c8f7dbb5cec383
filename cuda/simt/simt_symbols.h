/* simt_symbols.h: the public names under which the SIMT build of the kernels is linked, beside the device's. */
#ifndef RPP_SIMT_SYMBOLS_H
#define RPP_SIMT_SYMBOLS_H
#define rpp_cuda_error_message rpp_simt_error_message
#define rpp_cuda_rotate rpp_simt_rotate
#define rpp_cuda_rotate_workspace rpp_simt_rotate_workspace
#define rpp_cuda_attention_f32 rpp_simt_attention_f32
#define rpp_cuda_attention_f32_workspace rpp_simt_attention_f32_workspace
#define rpp_cuda_attention_mma rpp_simt_attention_mma
#define rpp_cuda_attention_mma_workspace rpp_simt_attention_mma_workspace
#define rpp_cuda_kv_append rpp_simt_kv_append
#define rpp_cuda_decode rpp_simt_decode
#define rpp_cuda_decode_workspace rpp_simt_decode_workspace
#endif
