/* report_text.h: the words that the human, TAP and JUnit reports share. */
#ifndef RPP_REPORT_TEXT_H
#define RPP_REPORT_TEXT_H
#include "reports/report.h"

/* "out (b=0, h=3, t=17, d=5)". */
void rpp_report_where(const rpp_worst *worst, rpp_message *text);

/* Whether the verdict has an element to show, and the line that does, without its end. */
bool rpp_report_has_worst(const rpp_verdict *verdict);
void rpp_report_worst_line(const rpp_verdict *verdict, FILE *out);

/* What happened, the worst element, the case, the shrunk case where that is another, the replay line, the file that holds it, the
 * explanation; each line after margin. */
void rpp_report_failure_lines(const rpp_report_kernel *kernel, const rpp_report_failure *failure, const char *margin, FILE *out);

/* Why a kernel does not pass; "" when it does. */
void rpp_report_why(const rpp_report_kernel *kernel, rpp_message *text);

#endif
