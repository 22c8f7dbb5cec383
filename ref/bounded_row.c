#include "bounded_row.h"

#include "contract.h"
#include "frequencies.h"
#include "status.h"

#include <math.h>
#include <stdlib.h>

rpp_status rpp_bounded_rows_open(const rpp_contract *contract, const rpp_rotary *rotary, int64_t width, rpp_bounded_rows *rows) {
  *rows = (rpp_bounded_rows){.contract = contract, .layout = {RPP_PAIRING_INTERLEAVED, width, 0}};
  if (!rotary) return RPP_OK;
  rows->layout = (rpp_row_layout){rotary->pairing, width, rotary->rotary_dim};
  RPP_TRY(rpp_angle_source_open(rotary, &rows->angles));
  if (rotary->cos) return RPP_OK;
  void *theta = NULL, *exact = NULL;
  rpp_status status = rpp_allocate(rows->angles.pairs, sizeof(double), &theta);
  if (status == RPP_OK) status = rpp_allocate(rows->angles.pairs, sizeof(rpp_dd), &exact);
  if (status == RPP_OK) status = rpp_thetas(rotary, exact);
  rows->theta = theta;
  for (int64_t n = 0; status == RPP_OK && n < rows->angles.pairs; n++) rows->theta[n] = ((rpp_dd *)exact)[n].hi;
  free(exact);
  if (status != RPP_OK) rpp_bounded_rows_close(rows);
  return status;
}

void rpp_bounded_rows_close(rpp_bounded_rows *rows) {
  rpp_angle_source_close(&rows->angles);
  free(rows->theta);
  rows->theta = NULL;
}

/* How far a unit vector at the kernel's own angle t theta may be off: theta and the product are rounded once each, and t where it has more
 * bits than they; cos and sin take a rounding from the product with m, and where a table rounds them, neighbours in the table. */
static double angle_error(const rpp_bounded_rows *rows, int64_t t, int64_t n) {
  if (rows->contract->angle_error == RPP_ANGLES_AS_MODELLED || !rows->theta) return 0;
  const double unit = rows->contract->angle_error == RPP_ANGLES_F32_PRODUCT ? 0x1p-24 : 0x1p-53;
  const rpp_dtype table = rows->angles.rotary->table_dtype;
  const double roundings = fabs((double)t) * unit > 1 ? 3 : 2, stored = table == RPP_F64 ? 0 : 2 * rpp_dtype_unit(table);
  return roundings * unit * fabs((double)t * rows->theta[n]) + 2 * unit + stored;
}

/* What one operation of the kernel's scalar type may add to an exact result x: nothing where x fits it. */
static double rounding(const rpp_contract *contract, double x) {
  if (contract->sums != RPP_SUMS_F64 && (double)(float)x == x) return 0;
  return rpp_scalar_unit(contract->sums) * fabs(x) + (contract->sums == RPP_SUMS_F64 ? 0x1p-1074 : 0x1p-150);
}

/* a c + b s, both products stored before they are added, and then the sum. Products of 16-bit numbers are exact in float32, and so nothing
 * is left of them, ties included. angle: as above. */
static double store_each(const rpp_contract *contract, double a, double c, double b, double s, double angle, double *left) {
  double left_a, left_b;
  const double size = hypot(c, s) * angle, of_a = fabs(a) * (size + rounding(contract, c)) + rounding(contract, a * c),
               of_b = fabs(b) * (size + rounding(contract, s)) + rounding(contract, b * s);
  const double first = rpp_contract_store(contract, a * c, of_a, &left_a),
               second = rpp_contract_store(contract, b * s, of_b, &left_b);
  const double sum = first + second;
  return rpp_contract_store(contract, sum, left_a + left_b + rounding(contract, sum), left);
}

void rpp_bounded_row_rotate(const rpp_bounded_rows *rows, int64_t t, double *cosine, double *sine, double *row, double *left) {
  const rpp_contract *contract = rows->contract;
  const double unit = rpp_scalar_unit(contract->sums);
  const double least = contract->sums == RPP_SUMS_F64 ? 0x1p-1073 : 0x1p-148; /* products below the smallest number */
  rpp_angle_row(&rows->angles, t, cosine, sine);
  for (int64_t p = 0; p < rows->layout.rotary_dim; p += 2) {
    const double a = row[p], b = row[p + 1], c = cosine[p / 2], s = sine[p / 2];
    const double angle = angle_error(rows, t, p / 2), arithmetic = hypot(a, b) * hypot(c, s) * (angle + 4 * unit) + least;
    if (contract->rotate_each) {
      row[p] = store_each(contract, a, c, -b, s, angle, &left[p]);
      row[p + 1] = store_each(contract, b, c, a, s, angle, &left[p + 1]);
    } else {
      row[p] = rpp_contract_store(contract, a * c - b * s, arithmetic, &left[p]);
      row[p + 1] = rpp_contract_store(contract, b * c + a * s, arithmetic, &left[p + 1]);
    }
  }
  for (int64_t p = rows->layout.rotary_dim; p < rows->layout.width; p++) row[p] = rpp_contract_store(contract, row[p], 0, &left[p]);
}

void rpp_bounded_row_keep(const rpp_bounded_rows *rows, double *row, double *left) {
  for (int64_t p = 0; p < rows->layout.width; p++) row[p] = rpp_contract_store(rows->contract, row[p], 0, &left[p]);
}
