#include "cases/gen.h"

#include "cases/generate.h"
#include "files/case_write.h"

enum { EXIT_PASS = 0, EXIT_BAD = 2 };

bool rpp_gen_write(const rpp_spec *spec, const char *path, rpp_message *error) {
  rpp_generated g;
  char name[RPP_SPEC_TEXT];
  rpp_spec plain = *spec; /* out and lse are not written */
  plain.layout = RPP_LAYOUT_CONTIGUOUS;
  plain.rows = 0;
  if (!rpp_generate(&plain, RPP_F16, RPP_F16, &g, error)) return false;
  rpp_spec_print(spec, name);
  const bool ok = rpp_case_write(path, name, &g.attention, &g.inputs, error);
  rpp_generated_free(&g);
  return ok;
}

static void complain(FILE *complaints, const char *what, const rpp_message *error) {
  fputs("ropepp-verify: gen: ", complaints);
  for (; *what != '\0'; what++) fputc((unsigned char)*what < ' ' || *what == 0x7f ? '?' : *what, complaints);
  fprintf(complaints, ": %s\n", error->text);
}

int rpp_gen_run(const char *text, const char *path, FILE *complaints) {
  rpp_spec spec;
  rpp_message error;
  if (!rpp_spec_parse(text, &spec, &error)) {
    complain(complaints, "SPEC", &error);
    return EXIT_BAD;
  }
  if (!rpp_gen_write(&spec, path, &error)) {
    complain(complaints, path, &error);
    return EXIT_BAD;
  }
  return EXIT_PASS;
}
