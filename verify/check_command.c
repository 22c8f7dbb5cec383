/* check_command.c: `ropepp-verify check`: cases with their expected tensors, or an answer to a case. */
#include <stdlib.h>
#include <string.h>

#include "check_answer_run.h"
#include "check_run.h"
#include "cli.h"
#include "command.h"
#include "program/names.h"

enum { KEY_CONTRACT = 0x100, KEY_AXES, KEY_CASE };

typedef struct {
  rpp_format format;
  rpp_check_asked asked;
  char **files;
  int file_count;
} options;

static const struct argp_option table[] = {
    {"contract", KEY_CONTRACT, "LINE", 0, "how the kernel rounds, as bf16,acc=f32,angles=exact (default: by the dtype of out)", 0},
    {"axes", KEY_AXES, "ORDER", 0, "of the tensors: blhd, batch, length, heads, width (default), or bhld", 0},
    {"case", KEY_CASE, "SPEC", 0, "of a folder of .npy files: what they do not say, as ec:pairing=half,mask=full", 0},
    {"format", 'f', "FORMAT", 0, "human (default) or json", 0},
    {0}};

static error_t parse(int key, char *value, struct argp_state *state) {
  options *o = state->input;
  int axes = RPP_AXES_BLHD;
  switch (key) {
  case KEY_CONTRACT:
    o->asked.contract = value;
    return 0;
  case KEY_AXES:
    if (!rpp_names_find(rpp_names_axes, value, strlen(value), &axes))
      rpp_refuse(state, "--axes %.100s: expected blhd or bhld", value);
    o->asked.axes = (rpp_axes)axes;
    o->asked.axes_given = true;
    return 0;
  case KEY_CASE:
    o->asked.options = value;
    return 0;
  case 'f':
    o->format = rpp_cli_basic_format(value, state);
    return 0;
  case ARGP_KEY_ARGS:
    o->files = state->argv + state->next;
    o->file_count = state->argc - state->next;
    return 0;
  case ARGP_KEY_NO_ARGS:
    rpp_refuse(state, "a case file is expected");
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* Options of an answer, a folder, or a second file that is no case. */
static bool wants_answer(const options *o) {
  const rpp_check_asked *a = &o->asked;
  return a->contract != NULL || a->options != NULL || a->axes_given || (o->file_count == 1 && rpp_check_is_folder(o->files[0])) ||
         (o->file_count == 2 && rpp_check_is_answer(o->files[0], o->files[1]));
}

static char *help(int key, const char *text, void *input) {
  (void)input;
  if (key != ARGP_KEY_HELP_EXTRA) return (char *)text;
  return strdup(
      "An ANSWER is a safetensors file, a .npy file (out) or a folder of .npy files: out, and perhaps lse, q_real, q_imag, k_rot. "
      "The second of two files is one where it has no case's metadata, or where CASE carries nothing to judge. FOLDER holds "
      "q.npy, k.npy, v.npy and out.npy, and perhaps pos_q, pos_k, cu_q, cu_k, lse.");
}

int rpp_main_check(int argc, char **argv) {
  static const struct argp argp = {
      table,
      parse,
      "CASE ANSWER\nFOLDER [ANSWER]\nCASE...",
      "Judges an answer to a case by the contract of the kernel that made it, or the expected tensors that "
      "case files carry, against the truth.",
      NULL,
      help,
      NULL};
  options o = {0};
  rpp_message error;
  if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0) return RPP_EXIT_USAGE;
  if (!wants_answer(&o)) return rpp_check_run(o.file_count, o.files, o.format, stdout);
  if (o.file_count > 2) {
    rpp_message_set(&error, "one case and one answer are expected");
    return rpp_cli_complain("check", o.files[2], &error);
  }
  o.asked.case_path = o.files[0];
  o.asked.answer_path = o.file_count == 2 ? o.files[1] : NULL;
  return rpp_check_answer_run(&o.asked, o.format, stdout);
}
