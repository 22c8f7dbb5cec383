/* rotate.cu, angles.cu, arguments.cu: what fuzz does not draw: both parts of one load, int32 positions, tables of 16 bits, far positions,
 * refusals; and the kernels behind the verifier's interface. */
#include <math.h>
#include <stdlib.h>

#include "contracts.h"
#include "kernels/kernel_simt.h"
#include "simt/ropepp_simt.h"
#include "support.h"

enum { B = 2, L = 5, HEADS = 3, D = 10, COUNT = B * L * HEADS * D };

static const int64_t shape[] = {B, L, HEADS, D};
static float x_data[COUNT], real_data[2 * COUNT], imag_data[COUNT];
static double y_data[COUNT], bound_data[COUNT];
static int64_t far[B * L];
static int32_t near[B * L];
static _Alignas(16) char room[1 << 14];

static rpp_tensor tensor(void *data, rpp_dtype dtype) {
  rpp_tensor t;
  support_accepted(rpp_tensor_contiguous(data, dtype, 4, shape, &t));
  return t;
}

static rpp_rotary rotary_of(rpp_pairing pairing) {
  return (rpp_rotary){.pairing = pairing, .rotary_dim = 6, .base = 10000, .table_dtype = RPP_F64};
}

static void fill(void) {
  uint64_t state = 7;
  for (int i = 0; i < COUNT; i++) x_data[i] = (float)support_uniform(&state, -1, 1);
  for (int i = 0; i < B * L; i++) near[i] = 999990 + i, far[i] = 1000000000 - i;
}

/* Every element of y within the bound of the contract. */
static void agrees(const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos, const rpp_tensor *y) {
  const rpp_contract contract = RPP_CUDA_ROTATE_CONTRACT(RPP_F32, rotary->angles);
  rpp_tensor expected = tensor(y_data, RPP_F64), bound = tensor(bound_data, RPP_F64);
  support_accepted(rpp_rotate_bound(rotary, part, &contract, x, pos, &expected, &bound));
  for (int64_t i = 0; i < COUNT; i++) {
    const int64_t at[] = {i / D / HEADS / L, i / D / HEADS % L, i / D % HEADS, i % D};
    ck_assert_double_le(fabs(rpp_tensor_get(y, at) - y_data[i]), bound_data[i]);
  }
}

START_TEST(both_parts_of_one_load) {
  const rpp_pairing pairings[] = {RPP_PAIRING_INTERLEAVED, RPP_PAIRING_HALF};
  const rpp_angle_model models[] = {RPP_ANGLES_EXACT, RPP_ANGLES_HF_F32};
  for (int n = 0; n < 4; n++) {
    rpp_rotary rotary = rotary_of(pairings[n % 2]);
    rotary.angles = models[n / 2];
    fill();
    int64_t wide[B * L];
    for (int i = 0; i < B * L; i++) wide[i] = near[i];
    rpp_tensor x = tensor(x_data, RPP_F32), both, real, imag, pos;
    support_accepted(rpp_tensor_contiguous(real_data, RPP_F32, 4, (int64_t[]){B, L, 2 * HEADS, D}, &both));
    support_accepted(rpp_tensor_slice(&both, 2, 0, HEADS, 2, &real)); /* interleaved heads: re 0, im 0, re 1, ... */
    support_accepted(rpp_tensor_slice(&both, 2, 1, HEADS, 2, &imag));
    support_accepted(rpp_tensor_contiguous(wide, RPP_I64, 2, (int64_t[]){B, L}, &pos));
    const rpp_cuda_integers positions = {near, RPP_CUDA_I32, 2, {B, L}, {L, 1}};
    size_t bytes;
    support_accepted(rpp_cuda_rotate_workspace(&rotary, &positions, &bytes));
    ck_assert_uint_le(bytes, sizeof room);
    support_accepted(rpp_cuda_rotate(&rotary, &x, &positions, &real, &imag, room, bytes, NULL));
    agrees(&rotary, RPP_PART_REAL, &x, &pos, &real);
    agrees(&rotary, RPP_PART_IMAG, &x, &pos, &imag);
  }
}
END_TEST

START_TEST(far_positions_in_place) {
  rpp_rotary rotary = rotary_of(RPP_PAIRING_HALF);
  fill();
  memcpy(imag_data, x_data, sizeof x_data);
  rpp_tensor x = tensor(x_data, RPP_F32), y = tensor(imag_data, RPP_F32), pos;
  support_accepted(rpp_tensor_contiguous(far, RPP_I64, 1, (int64_t[]){L}, &pos));
  const rpp_cuda_integers positions = {far, RPP_CUDA_I64, 1, {L}, {1}};
  support_accepted(rpp_cuda_rotate(&rotary, &y, &positions, NULL, &y, room, sizeof room, NULL));
  agrees(&rotary, RPP_PART_IMAG, &x, &pos, &y);
}
END_TEST

START_TEST(tables_of_sixteen_bits) {
  const rpp_dtype types[] = {RPP_F32, RPP_F16, RPP_BF16};
  for (int n = 0; n < 6; n++) {
    rpp_rotary rotary = rotary_of(RPP_PAIRING_HALF);
    rotary.table_dtype = types[n % 3], rotary.angles = n < 3 ? RPP_ANGLES_EXACT : RPP_ANGLES_HF_F32;
    rotary.scaling = (rpp_scaling){.kind = RPP_SCALING_YARN, .factor = 32, .orig = 4096};
    fill();
    for (int i = 0; i < COUNT; i++) x_data[i] = i % D < 3; /* pairs (1, 0): the table itself */
    for (int i = 0; i < L; i++) far[i] = 12345 * i;
    rpp_tensor x = tensor(x_data, RPP_F32), y = tensor(real_data, RPP_F32), pos, expected = tensor(y_data, RPP_F64);
    support_accepted(rpp_tensor_contiguous(far, RPP_I64, 1, (int64_t[]){L}, &pos));
    const rpp_cuda_integers positions = {far, RPP_CUDA_I64, 1, {L}, {1}};
    support_accepted(rpp_cuda_rotate(&rotary, &x, &positions, &y, NULL, room, sizeof room, NULL));
    support_accepted(rpp_rotate(&rotary, RPP_PART_REAL, &x, &pos, &expected));
    for (int i = 0; i < COUNT; i++) ck_assert(real_data[i] == (float)y_data[i]);
  }
}
END_TEST

START_TEST(positions_out_of_range_make_nan) {
  rpp_rotary rotary = rotary_of(RPP_PAIRING_HALF);
  fill();
  far[2] = INT64_MAX;
  rpp_tensor x = tensor(x_data, RPP_F32), y = tensor(real_data, RPP_F32);
  const rpp_cuda_integers positions = {far, RPP_CUDA_I64, 1, {L}, {1}};
  support_accepted(rpp_cuda_rotate(&rotary, &x, &positions, &y, NULL, room, sizeof room, NULL));
  for (int i = 0; i < COUNT; i++) ck_assert_int_eq(isnan(real_data[i]) != 0, i / D / HEADS % L == 2 && i % D < 6);
}
END_TEST

#define refused(call, status, text)                                                                                                \
  do {                                                                                                                             \
    const rpp_status got_ = (call);                                                                                                \
    ck_assert_msg(got_ == (status) && strstr(rpp_cuda_error_message(), (text)), "status %d, \"%s\"; wanted %s", (int)got_,         \
                  rpp_cuda_error_message(), (text));                                                                               \
  } while (0)

START_TEST(refusals) {
  rpp_rotary rotary = rotary_of(RPP_PAIRING_HALF), wrong = rotary;
  fill();
  rpp_tensor x = tensor(x_data, RPP_F32), y = tensor(real_data, RPP_F32), other = x;
  rpp_cuda_integers pos = {far, RPP_CUDA_I64, 1, {L}, {1}}, bad = pos;
#define ROTATE(r, x, p, y, z, room, bytes) rpp_cuda_rotate(r, x, p, y, z, room, bytes, NULL)
  refused(ROTATE(NULL, &x, &pos, &y, NULL, room, sizeof room), RPP_ERROR_NULL, "rotary");
  refused(ROTATE(&rotary, NULL, &pos, &y, NULL, room, sizeof room), RPP_ERROR_NULL, "x = null");
  refused(ROTATE(&rotary, &x, NULL, &y, NULL, room, sizeof room), RPP_ERROR_NULL, "pos = null");
  refused(ROTATE(&rotary, &x, &pos, NULL, NULL, room, sizeof room), RPP_ERROR_NULL, "real = null");
  refused(ROTATE(&rotary, &x, &pos, &y, NULL, NULL, 0), RPP_ERROR_NULL, "workspace = null");
  refused(ROTATE(&rotary, &x, &pos, &y, NULL, room, 16), RPP_ERROR_MEMORY, "bytes = 16");
  refused(ROTATE(&rotary, &x, &pos, &y, NULL, room + 4, sizeof room - 4), RPP_ERROR_UNSUPPORTED, "aligned");
  refused(ROTATE(&rotary, &x, &pos, &y, &y, room, sizeof room), RPP_ERROR_OVERLAP, "overlaps real");
  other.byte_offset = 4;
  refused(ROTATE(&rotary, &x, &pos, &other, NULL, room, sizeof room), RPP_ERROR_OVERLAP, "overlaps x");
  other = y, other.byte_offset = 2;
  refused(ROTATE(&rotary, &x, &pos, &other, NULL, room, sizeof room), RPP_ERROR_UNSUPPORTED, "real.data");
  other = x, other.dtype = RPP_F64;
  refused(ROTATE(&rotary, &other, &pos, &y, NULL, room, sizeof room), RPP_ERROR_DTYPE, "x.dtype = F64");
  other = y, other.strides[1] = 0;
  refused(ROTATE(&rotary, &x, &pos, &other, NULL, room, sizeof room), RPP_ERROR_OVERLAP, "real.strides[1]");
  wrong.rotary_dim = 300;
  refused(ROTATE(&wrong, &x, &pos, &y, NULL, room, sizeof room), RPP_ERROR_UNSUPPORTED, "rotary_dim = 300");
  wrong.rotary_dim = 12;
  refused(ROTATE(&wrong, &x, &pos, &y, NULL, room, sizeof room), RPP_ERROR_VALUE, "rotary_dim = 12");
  wrong = rotary, wrong.base = NAN;
  refused(ROTATE(&wrong, &x, &pos, &y, NULL, room, sizeof room), RPP_ERROR_VALUE, "base");
  wrong = rotary, wrong.cos = wrong.sin = &x;
  refused(ROTATE(&wrong, &x, &pos, &y, NULL, room, sizeof room), RPP_ERROR_UNSUPPORTED, "cos");
  wrong = rotary, wrong.pairing = (rpp_pairing)5;
  refused(ROTATE(&wrong, &x, &pos, &y, NULL, room, sizeof room), RPP_ERROR_VALUE, "pairing = 5");
  bad.shape[0] = L + 1;
  refused(ROTATE(&rotary, &x, &bad, &y, NULL, room, sizeof room), RPP_ERROR_SHAPE, "pos.shape[0] = 6");
  bad = pos, bad.ndim = 3;
  refused(ROTATE(&rotary, &x, &bad, &y, NULL, room, sizeof room), RPP_ERROR_SHAPE, "pos.ndim = 3");
  bad = pos, bad.type = (rpp_cuda_integer)4;
  refused(ROTATE(&rotary, &x, &bad, &y, NULL, room, sizeof room), RPP_ERROR_DTYPE, "pos.type = 4");
}
END_TEST

START_TEST(contracts_are_those_of_the_kernels) {
  ck_assert_int_eq(rpp_kernel_simt_attention_f32.contract.key_tile, RPP_CUDA_ATTENTION_F32_KEYS);
  ck_assert_int_eq(rpp_kernel_simt_rotate_bf16.contract.rotated, RPP_BF16);
  ck_assert_int_eq(rpp_kernel_simt_rotate_hf_f32.contract.angles, RPP_ANGLES_HF_F32);
  ck_assert(rpp_kernel_simt_rotate.forward == NULL);
  ck_assert(!rpp_kernel_on_host(&rpp_kernel_simt_rotate));
  ck_assert_ptr_eq(rpp_kernel_find("simt:rotate-f16"), &rpp_kernel_simt_rotate_f16);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("rotate_cuda");
  TCase *tests = tcase_create("rotate_cuda");
  tcase_add_test(tests, both_parts_of_one_load);
  tcase_add_test(tests, far_positions_in_place);
  tcase_add_test(tests, tables_of_sixteen_bits);
  tcase_add_test(tests, positions_out_of_range_make_nan);
  tcase_add_test(tests, refusals);
  tcase_add_test(tests, contracts_are_those_of_the_kernels);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
