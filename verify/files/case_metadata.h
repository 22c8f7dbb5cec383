/* case_metadata.h: the metadata of a case file. */
#ifndef RPP_CASE_METADATA_H
#define RPP_CASE_METADATA_H

#include "files/case.h"

/* Fills every field of c that does not come from a tensor: op, attention, counts, head_dim, hidden, name. */
bool rpp_case_metadata(const rpp_safetensors *file, rpp_case *c, rpp_message *error);

#endif
