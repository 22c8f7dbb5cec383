#include "identities/identity.h"

#include "base/json_number.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

static const rpp_identity *const tables[] = {rpp_identities_rotation,  rpp_identities_scores, rpp_identities_attention,
                                             rpp_identities_heads,     rpp_identities_keys,   rpp_identities_cache,
                                             rpp_identities_statistics};

/* Cases share nothing, so that the result does not depend on the threads. */
rpp_identity_result rpp_identity_run(const rpp_identity *identity, uint64_t seed) {
  double largest = identity->cases > 0 ? 0 : INFINITY;
  int blind = identity->cases <= 0;
#pragma omp parallel for schedule(dynamic) reduction(max : largest) reduction(|| : blind)
  for (int i = 0; i < identity->cases; i++) {
    rpp_random random = rpp_random_make(seed, (uint64_t)i), again = random; /* the control runs on the same configuration */
    const double deviation = identity->deviation(&random, false), planted = identity->deviation(&again, true);
    if (!(deviation <= largest)) largest = isnan(deviation) ? INFINITY : deviation;
    blind = blind || planted <= identity->bound;
  }
  return (rpp_identity_result){largest, largest <= identity->bound, !blind};
}

void rpp_identity_print_head(FILE *out) {
  fprintf(out, "%-36s %-9s %9s %9s %6s  %-6s  %s\n", "what", "equation", "deviation", "bound", "cases", "plant", "verdict");
}

void rpp_identity_print_row(FILE *out, const char *what, const char *where, double deviation, double bound, int64_t cases,
                            bool control_caught, bool pass) {
  fprintf(out, "%-36s %-9s %9.2e %9.2e %6" PRId64 "  %-6s  %s\n", what, where, deviation, bound, cases,
          control_caught ? "caught" : "MISSED", pass && control_caught ? "ok" : "FAIL");
}

static json_t *json_row(const rpp_identity *identity, const rpp_identity_result *result) {
  return json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:b, s:i}", "name", identity->name, "equation", identity->equation, "statement",
                   identity->statement, "deviation", rpp_json_number(result->deviation), "bound", rpp_json_number(identity->bound),
                   "pass", (int)result->pass, "control_caught", (int)result->control_caught, "cases", identity->cases);
}

rpp_identities_total rpp_identities_report(rpp_format format, FILE *out) {
  rpp_identities_total total = {0};
  json_t *rows = json_array();
  for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
    for (const rpp_identity *identity = tables[t]; identity->name; identity++) {
      const rpp_identity_result result = rpp_identity_run(identity, 1);
      total.count++;
      total.failed += !(result.pass && result.control_caught);
      if (format == RPP_FORMAT_JSON)
        json_array_append_new(rows, json_row(identity, &result));
      else
        rpp_identity_print_row(out, identity->name, identity->equation, result.deviation, identity->bound, identity->cases,
                               result.control_caught, result.pass);
    }
  if (format == RPP_FORMAT_JSON) {
    json_t *report = json_pack("{s:O}", "identities", rows);
    json_dumpf(report, out, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    fputc('\n', out);
    json_decref(report);
  }
  json_decref(rows);
  return total;
}

int rpp_identities_run(rpp_format format, FILE *out) {
  if (format == RPP_FORMAT_HUMAN) rpp_identity_print_head(out);
  const rpp_identities_total total = rpp_identities_report(format, out);
  const bool pass = total.count > 0 && total.failed == 0;
  if (format == RPP_FORMAT_HUMAN) fprintf(out, "%d identities, %d failed: %s\n", total.count, total.failed, pass ? "pass" : "FAIL");
  return pass ? 0 : 1;
}
