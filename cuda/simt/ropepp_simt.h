/* ropepp_simt.h: the functions of ropepp_cuda.h, run by the SIMT runtime: rpp_simt_... on host memory. A stream is a rpp_simt_stream, or
 * null. Fails with RPP_ERROR_DEVICE where the runtime found a fault; the message has kernel, block, thread, file and line. */
#ifndef ROPEPP_SIMT_H
#define ROPEPP_SIMT_H

#include "simt/simt_symbols.h"
#include "simt/stream.h"
#include "ropepp_cuda.h"

#endif
