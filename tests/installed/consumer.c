/* consumer.c: a program of somebody else's, in C and C++ at once, that knows libropepp by its installed header and pkg-config file:
 *
 *   cc consumer.c -o consumer $(pkg-config --cflags --libs ropepp)
 *
 * One query (1, 2) at position 0, one key (3, 4): the real score is 1*3 + 2*4 = 11; the query turned by -pi/2 is (2, -1), and the
 * imaginary score 2*3 - 1*4 = 2. With one key each output head is v. Status 0 when the library says so, too. With the argument
 * `plus` it expects a turn by +pi/2, (-2, 1), and must fail. */
#include <math.h>
#include <ropepp.h>
#include <stdio.h>
#include <string.h>

static bool near(double got, double expected) {
  return fabs(got - expected) <= 1e-12;
}

int main(int argc, char **argv) {
  double q[2] = {1, 2}, k[2] = {3, 4}, v[2] = {5, 6}, out[4], lse[2];
  int64_t position = 0;
  const int64_t one[] = {1}, row[] = {1, 1, 1, 2}, heads[] = {1, 1, 2, 2}, rows[] = {1, 2, 1};
  const double imaginary = argc > 1 && strcmp(argv[1], "plus") == 0 ? -2 : 2;
  rpp_tensor tq, tk, tv, pos, tout, tlse;
  rpp_attention attention;
  rpp_attention_inputs inputs;

  memset(&attention, 0, sizeof attention);
  attention.mode = RPP_MODE_EC;
  attention.heads = attention.kv_heads = 1;
  attention.scale = 1;
  attention.rotary.rotary_dim = 2;
  attention.rotary.base = 10000;
  memset(&inputs, 0, sizeof inputs);
  inputs.q = &tq;
  inputs.k = &tk;
  inputs.v = &tv;
  inputs.pos_q = inputs.pos_k = &pos;
  if (rpp_tensor_contiguous(q, RPP_F64, 4, row, &tq) != RPP_OK || rpp_tensor_contiguous(k, RPP_F64, 4, row, &tk) != RPP_OK ||
      rpp_tensor_contiguous(v, RPP_F64, 4, row, &tv) != RPP_OK ||
      rpp_tensor_contiguous(&position, RPP_I64, 1, one, &pos) != RPP_OK ||
      rpp_tensor_contiguous(out, RPP_F64, 4, heads, &tout) != RPP_OK ||
      rpp_tensor_contiguous(lse, RPP_F64, 3, rows, &tlse) != RPP_OK ||
      rpp_attention_forward(&attention, &inputs, NULL, &tout, &tlse) != RPP_OK) {
    fprintf(stderr, "consumer: %s\n", rpp_error_message());
    return 2;
  }
  printf("scores %g and %g; out %g %g, %g %g\n", lse[0], lse[1], out[0], out[1], out[2], out[3]);

  /* A refusal comes back as a status and a line. */
  attention.heads = 0;
  if (rpp_attention_forward(&attention, &inputs, NULL, &tout, &tlse) != RPP_ERROR_VALUE || *rpp_error_message() == '\0') return 1;
  printf("refused: %s\n", rpp_error_message());
  return near(lse[0], 11) && near(lse[1], imaginary) && near(out[0], 5) && near(out[1], 6) && near(out[2], 5) && near(out[3], 6)
             ? 0
             : 1;
}
