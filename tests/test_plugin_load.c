/* plugin_load.c: what is no plug-in of this version is refused, with the field and its value; what is one is told as it is. */
#include "kernels/plugin_load.h"

#include <stdio.h>
#include <stdlib.h>

#include "shell.h"
#include "support.h"

/* The broken plug-in under a name that says how. */
static const char *copy(const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s.so", shell_folder, name);
  ck_assert_int_eq(shell_run("ROPEPP_BROKEN_PLUGIN", "cp $PROGRAM %s", path), 0);
  return path;
}

/* Check forks each test; of the many libraries of one test none has a name that another has. */
START_TEST(what_is_wrong_is_named) {
  static const struct {
    const char *name, *says;
  } known[] = {
      {"null", "ropepp_kernel returned null"},
      {"abi-newer", "abi = 2: is newer than this program, which takes version 1"},
      {"abi-older", "abi = 0: is older than this program, which takes version 1"},
      {"size-small", ": a kernel of version 1 has "},
      {"size-zero", "size = 0: a kernel of version 1"},
      {"no-name", "name = null: is required"},
      {"no-description", "description = null: is required"},
      {"no-contract", "contract = null: is required"},
      {"no-supports", "supports = null: is required"},
      {"no-functions", "rotate and forward = null: is required"},
      {"memory", "memory = 7: must be"},
      {"two-words", "name = two words: must be one word"},
      {"colon", "name = cuda:mine: must be one word"},
      {"empty-name", "name = : must be one word"},
      {"long-name", "is longer than 63 characters"},
      {"two-lines", "description = two?lines: must be one line"},
      {"constructor-rounds", "loading it leaves the processor flushing"},
      {"contract-key", "contract: q = f8: no such key"},
      {"contract-value", "contract: p = f8: must be one of f64, f32, f16, bf16"},
      {"contract-no-dtype", "contract = p=f32: must begin with the dtype"},
      {"contract-empty", "contract: a contract is expected"},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    rpp_plugin_facts facts;
    rpp_message error = {""};
    ck_assert_msg(rpp_plugin_load(copy(known[i].name), &facts, &error) == NULL, "%s is taken", known[i].name);
    ck_assert_msg(strstr(error.text, known[i].says) != NULL, "%s: %s", known[i].name, error.text);
  }
}
END_TEST

START_TEST(what_is_no_plug_in_is_refused) {
  static const char *const variables[] = {"ROPEPP_FOREIGN", "ROPEPP_UNRESOLVED"};
  static const char *const says[] = {"exports no function ropepp_kernel", "undefined symbol: nobody_has_this"};
  rpp_plugin_facts facts;
  rpp_message error;
  for (int i = 0; i < 2; i++) {
    ck_assert_ptr_nonnull(getenv(variables[i]));
    ck_assert_ptr_null(rpp_plugin_load(getenv(variables[i]), &facts, &error));
    ck_assert_msg(strstr(error.text, says[i]) != NULL, "%s", error.text);
  }
  ck_assert_ptr_null(rpp_plugin_load("/nonexistent/x.so", &facts, &error));
  ck_assert_str_eq(error.text, "cannot open shared object file: No such file or directory");
  ck_assert_ptr_null(rpp_plugin_load("/", &facts, &error));
  ck_assert_ptr_null(rpp_plugin_load("/dev/null", &facts, &error));
}
END_TEST

static void is_minimal(const char *variable, const char *name) {
  rpp_plugin_facts facts;
  rpp_message error = {""};
  char contract[RPP_CONTRACT_TEXT], usual[RPP_CONTRACT_TEXT];
  const rpp_contract bf16 = rpp_contract_default(RPP_BF16);
  ck_assert_ptr_nonnull(getenv(variable));
  const rpp_plugin_kernel *k = rpp_plugin_load(getenv(variable), &facts, &error);
  ck_assert_msg(k != NULL, "%s", error.text);
  ck_assert_str_eq(facts.name, name);
  ck_assert_str_eq(facts.description, "the least");
  ck_assert(!facts.on_device && !facts.rotates && facts.attends && !facts.wants_workspace);
  rpp_contract_print(&facts.contract, contract);
  rpp_contract_print(&bf16, usual);
  ck_assert_str_eq(contract, usual);
}

START_TEST(plug_ins_of_c_and_cpp_are_told_as_they_are) {
  is_minimal("ROPEPP_MINIMAL_C11", "minimal-c11");
  is_minimal("ROPEPP_MINIMAL_C17", "minimal-c17");
  is_minimal("ROPEPP_MINIMAL_CPP", "minimal-cpp17");
}
END_TEST

START_TEST(each_of_its_kinds) {
  rpp_plugin_facts facts;
  rpp_message error;
  ck_assert_ptr_nonnull(rpp_plugin_load(copy("rotates"), &facts, &error));
  ck_assert(facts.rotates && !facts.attends && facts.wants_workspace && !facts.on_device);
  ck_assert_ptr_nonnull(rpp_plugin_load(copy("device"), &facts, &error));
  ck_assert(!facts.rotates && facts.attends && facts.on_device);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("plugin_load");
  TCase *tests = tcase_create("plugin_load");
  tcase_add_checked_fixture(tests, shell_setup, shell_teardown);
  tcase_add_test(tests, what_is_wrong_is_named);
  tcase_add_test(tests, what_is_no_plug_in_is_refused);
  tcase_add_test(tests, plug_ins_of_c_and_cpp_are_told_as_they_are);
  tcase_add_test(tests, each_of_its_kinds);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
