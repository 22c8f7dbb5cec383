/* format.h: how reports are printed (--format). */
#ifndef RPP_FORMAT_H
#define RPP_FORMAT_H

typedef enum { RPP_FORMAT_HUMAN = 0, RPP_FORMAT_JSON, RPP_FORMAT_TAP, RPP_FORMAT_JUNIT } rpp_format;

#endif
