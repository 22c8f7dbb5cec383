/* contract.h: the numbers behind a contract (notes/tolerance.md). */
#ifndef RPP_CONTRACT_H
#define RPP_CONTRACT_H
#include "ropepp.h"

/* Every dtype, enumerator and count of a contract is known and in range. Errors: NULL, DTYPE, VALUE. */
rpp_status rpp_check_contract(const rpp_contract *contract);

/* Half of the smallest subnormal: what rounding costs at least, absolutely. */
double rpp_dtype_tiny(rpp_dtype dtype);

/* Of sums of products, and of single operations (float32 beside tensor cores). Float64's is doubled, since the truth rounds there too. */
double rpp_sums_unit(rpp_sums sums);
double rpp_scalar_unit(rpp_sums sums);

/* Rounding steps on the way of one weighted value of a row that sees this many keys: over MMAs, within one, over rescalings and merges. The
 * numerator and the denominator of the softmax each take at most these. */
double rpp_contract_steps(const rpp_contract *contract, int64_t keys);

/* n u / (1 - n u), infinite when n u reaches 1. */
double rpp_gamma(double n, double unit);

/* What the contract makes of an exact rotated value x that the kernel computes to within error before it stores it: the value the truth
 * goes on with, and the largest distance of the kernel's from it. A storage type coarser than the arithmetic is rounded to, so that
 * nothing is left but, near a tie, one unit in the last place. */
double rpp_contract_store(const rpp_contract *contract, double x, double error, double *left);

#endif
