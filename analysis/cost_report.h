/* cost_report.h: a sweep as CSV, as JSON and as tables for people. */
#ifndef RPP_COST_REPORT_H
#define RPP_COST_REPORT_H
#include "cost_sweep.h"

/* FOLDER/cost.csv, one row for each mode and context; standard output when folder is null. command: the options that made it. False, with
 * a message. */
bool rpp_cost_write_csv(const rpp_sweep *sweep, const char *command, const char *folder, rpp_message *error);

/* FOLDER/cost.json: parameters, bytes a token, and milliseconds by context. False, with a message. */
bool rpp_cost_write_json(const rpp_sweep *sweep, const char *command, const char *folder, rpp_message *error);

/* Tables on standard output. */
void rpp_cost_print(const rpp_sweep *sweep);

#endif
