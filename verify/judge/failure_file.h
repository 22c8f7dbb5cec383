/* failure_file.h: a case that a kernel fails, with what was expected and what it gave, to be loaded in a debugger or a notebook. */
#ifndef RPP_FAILURE_FILE_H
#define RPP_FAILURE_FILE_H
#include "cases/spec.h"
#include "kernels/kernel.h"

/* Writes a safetensors file of a spec's case: its inputs and metadata as in a case file, but for format `ropepp-failure/1` and two keys more,
 * kernel and contract; and, by the kernel's contract,
 *   out, lse              the truth, F64, and out_bound, lse_bound, the largest error allowed; of the rows judged, `rows`, where not all are
 *   q_real, q_imag, k_rot the same of rotated queries and keys, with q_real_bound and so on, of a kernel that offers rotate, raw inputs
 *   out_got, lse_got, q_real_got, ...   what the kernel gave, where run is true and it returned; NaN where it wrote nothing
 * It runs the kernel in this process. The file is written aside and renamed. False, with a message, when memory is out, the truth refuses the
 * case or the file cannot be written; then nothing is. */
bool rpp_failure_file_write(const rpp_kernel *kernel, const rpp_spec *spec, bool run, const char *path, rpp_message *error);

#endif
