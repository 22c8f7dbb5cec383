/* plants.c: the planted kernels: what each does, where that was seen, what a right explanation says, and a case that shows it. */
#include "plants/plants.h"

#include "kernels/emulate_contracts.h"
#include "plants/plant_steps.h"

#include <string.h>

#define KERNEL(word, line, promise, accepts, turns, ...)                                                                           \
  {                                                                                                                                \
    .version = RPP_KERNEL_VERSION, .name = (word), .description = (line), .contract = RPP_CONTRACT_##promise,                      \
    .data = &(const rpp_planting){__VA_ARGS__}, .supports = (accepts), .rotate = (turns), .forward = rpp_planted_forward           \
  }

/* What a plant claims (the end of a RPP_CONTRACT_ name); what it is; whether it offers its rotation apart, so that this is judged too. */
#define PLANT_OF(word, line, seen, says, spec, promise, accepts, turns, ...)                                                       \
  {                                                                                                                                \
    .kernel = KERNEL(word, line, promise, accepts, turns, __VA_ARGS__),                                                            \
    .clean = KERNEL(word, line, promise, rpp_emulate_supports, turns, ARITHMETIC(promise)), .source = (seen),                      \
    .explanation = (says), .region = (spec)                                                                                        \
  }
#define PLANT(word, line, seen, says, spec, promise, ...)                                                                          \
  PLANT_OF(word, line, seen, says, spec, promise, rpp_emulate_supports, NULL, __VA_ARGS__)
#define ROTATING(word, line, seen, says, spec, promise, ...)                                                                       \
  PLANT_OF(word, line, seen, says, spec, promise, rpp_emulate_supports, rpp_emulate_rotate, __VA_ARGS__)

#define ARITHMETIC(roundings) .emulation = {.contract = RPP_CONTRACT_##roundings}
#define INSIDE(roundings, what) .emulation = {.contract = RPP_CONTRACT_##roundings, .fault = (what)}
#define CHANGE(roundings, what) ARITHMETIC(roundings), .change = (what)
#define SPOIL(roundings, what) ARITHMETIC(roundings), .spoil = (what)
#define PLACE(roundings, what) ARITHMETIC(roundings), .place = (what)
#define NARROW(roundings) ARITHMETIC(roundings), .narrow = true

/* clang-format off: two or three lines a plant */
const rpp_plant rpp_plants[] = {
    /* RoPE++'s own */
    PLANT("quarter-turn-sign", "imaginary queries turned by +pi/2", "RoPE++", "quarter turn", "ec:h=1,lq=3,d=4", F32,
          INSIDE(F32, RPP_FAULT_TURN_SIGN)),
    PLANT("quarter-turn-on-k", "imaginary heads turn k by -pi/2 instead of q", "RoPE++", "quarter turn", "ec:h=1,lq=3,d=4", F32,
          INSIDE(F32, RPP_FAULT_TURN_ON_K)),
    PLANT("quarter-turn-missing", "imaginary heads repeat the real ones", "RoPE++", "quarter turn", "ec:h=1,lq=3,d=4", F32,
          INSIDE(F32, RPP_FAULT_TURN_MISSING)),
    PLANT("quarter-turn-twice", "imaginary queries turned by -pi", "RoPE++", "turn", "ec:h=1,lq=3,d=4", F32,
          INSIDE(F32, RPP_FAULT_TURN_TWICE)),
    PLANT("quarter-turn-neighbours", "imaginary queries turned in neighbouring columns whatever the pairing", "RoPE++",
          "quarter turn", "ec:h=1,lq=3,d=8,pairing=half", F32, INSIDE(F32, RPP_FAULT_TURN_AFTER_PAIR)),
    PLANT("heads-swapped", "imaginary head before the real one", "RoPE++", "swapped", "ec:h=1,lq=3,d=4", F32,
          SPOIL(F32, rpp_spoil_heads_swapped)),
    PLANT("heads-stacked", "all real heads, then all imaginary ones", "RoPE++", "stacked", "ec:h=2,lq=3,d=4", F32,
          SPOIL(F32, rpp_spoil_heads_stacked)),
    PLANT("kv-not-doubled", "output head o reads KV head o / (P / K)", "RoPE++", "not doubled", "ec:h=2,lq=3,d=4", F32,
          INSIDE(F32, RPP_FAULT_KV_NOT_DOUBLED)),
    PLANT("imaginary-scaled", "imaginary scores times 1 / sqrt 2", "RoPE++", "scaled", "ec:h=1,lq=3,d=4", F32,
          INSIDE(F32, RPP_FAULT_IMAG_SCALED)),
    PLANT("softmax-together", "one softmax over the keys of the real and the imaginary head", "RoPE++", "softmax",
          "ec:h=1,lq=3,d=4", F32, SPOIL(F32, rpp_spoil_softmax_together)),
    PLANT("pairing-mixed", "k rotated in the other pairing than q", "RoPE++", "pairing mixed", "ec:h=1,lq=3,d=4", F32,
          INSIDE(F32, RPP_FAULT_K_PAIRING)),
    PLANT_OF("eh-odd-heads", "takes EH with an odd count of heads", "RoPE++", NULL, "eh:h=2,lq=3,d=4", F32,
             rpp_planted_supports_odd, NULL, ARITHMETIC(F32)),

    /* Masks */
    PLANT("causal-top-left", "causal mask aligned at the first key", "BUGS 1", "aligned", "rope:lq=5,lk=9,d=8", F32,
          CHANGE(F32, rpp_change_causal_top_left)),
    PLANT("causal-strict", "a query does not see its own key", "BUGS 1", "strict", "rope:lq=5,lk=9,d=8", F32,
          CHANGE(F32, rpp_change_causal_strict)),
    PLANT("causal-lost", "every key is seen", "BUGS 1", "no mask", "rope:lq=9,d=8", F32, CHANGE(F32, rpp_change_causal_lost)),
    PLANT("window-wider", "a window one key too wide", "BUGS 2", "window", "rope:lq=20,d=8,mask=window:4,family=one-hot-v", F32,
          CHANGE(F32, rpp_change_window_wider)),
    PLANT("window-narrower", "a window one key too narrow", "BUGS 2", "window", "rope:lq=20,d=8,mask=window:4", F32,
          CHANGE(F32, rpp_change_window_narrower)),
    PLANT("window-lost", "a window taken for a causal mask", "BUGS 2", "window", "rope:lq=20,d=8,mask=window:4", F32,
          CHANGE(F32, rpp_change_window_lost)),
    PLANT("packing-lost", "packed sequences see each other", "BUGS 9", "packed", "rope:lq=20,d=8,packed=4", F32,
          CHANGE(F32, rpp_change_packing_lost)),
    PLANT("masked-tile-max-0", "a tile masked altogether has maximum 0", "BUGS 3", NULL,
          "rope:lq=40,d=16,mask=window:4,family=negative", F32, INSIDE(F32, RPP_FAULT_MASKED_TILE_ZERO)),
    PLANT("sentinel-5e4", "the running maximum starts at -5e4", "BUGS 4", NULL, "rope:lq=20,d=16,family=negative", F32,
          INSIDE(F32, RPP_FAULT_SENTINEL_5E4)),
    PLANT("sentinel-1e30", "masked scores are -1e30: a masked row averages what it must not see", "BUGS 4", NULL,
          "rope:lq=12,lk=6,d=8", F32, INSIDE(F32, RPP_FAULT_SENTINEL_1E30)),
    PLANT("masked-row-nan", "0 / 0 where no key is seen", "BUGS 5", "no key", "rope:lq=12,lk=6,d=8", F32,
          INSIDE(F32, RPP_FAULT_EMPTY_NAN)),
    PLANT("masked-row-lse-0", "LSE 0 where no key is seen", "BUGS 5", "no key", "rope:lq=12,lk=6,d=8", F32,
          INSIDE(F32, RPP_FAULT_EMPTY_LSE_ZERO)),

    /* Tiles and splits */
    PLANT("no-keys-writes-outside", "writes past out when there are no keys", "BUGS 6", NULL, "rope:lq=3,lk=0,d=8", F32,
          SPOIL(F32, rpp_spoil_write_when_empty)),
    PLANT("tail-nan", "what lies behind the last tile's values, NaN, times weight 0", "BUGS 7", NULL, "rope:lq=20,d=8", F32,
          INSIDE(F32, RPP_FAULT_TAIL_NAN)),
    PLANT("tail-zero-score", "keys behind the last one score 0", "BUGS 7", NULL, "rope:lq=20,d=8", F32,
          INSIDE(F32, RPP_FAULT_TAIL_ZERO_SCORE)),
    PLANT("tail-dropped", "keys of a tile that is not full are left out", "BUGS 8", NULL, "rope:lq=20,d=8", F32,
          INSIDE(F32, RPP_FAULT_TAIL_DROPPED)),
    PLANT("tile-skipped", "every second tile left out: twice the tile assumed", "BUGS 9", NULL, "rope:lq=40,d=8", F32,
          INSIDE(F32, RPP_FAULT_TILE_SKIPPED)),
    PLANT("race", "the second of two calls misses a key", "BUGS 10", NULL, "rope:lq=9,d=8", F32, INSIDE(F32, RPP_FAULT_RACE)),
    PLANT("last-bit", "the second of two calls differs in a last bit, where the contract says deterministic", "BUGS 10", NULL,
          "rope:lq=9,d=8", F32, SPOIL(F32, rpp_spoil_last_bit)),
    PLANT("offset-int32", "offsets into v in 32 bits", "BUGS 14", "32 bits", "rope:h=1,lq=2,d=8,layout=sparse", F32,
          CHANGE(F32, rpp_change_offset_int32)),
    PLANT("result-offset-int32", "offsets into out and LSE in 32 bits", "BUGS 16", "32 bits", "rope:h=1,lq=2,d=8,layout=sparse",
          F32, NARROW(F32)),
    PLANT("key-int16", "key indices in 16 bits: NaN past 32768", "BUGS 15", NULL, "rope:h=1,lq=1,lk=33728,d=8", F32,
          INSIDE(F32, RPP_FAULT_KEY_INT16)),
    /* In 16 bits: of the kernel's own scores no layout makes more than there are. */
    PLANT("score-offset-16", "offsets into the scores in 16 bits", "BUGS 16", NULL, "rope:h=2,lq=300,d=4,dv=2", F32,
          SPOIL(F32, rpp_spoil_rows_wrapped)),
    PLANT("split-empty-lse", "a row without keys writes its neighbour's LSE", "BUGS 19", NULL, "rope:lq=12,lk=6,d=8", F32,
          SPOIL(F32, rpp_spoil_empty_lse_slot)),
    PLANT("split-first-only", "only the first split is delivered", "BUGS 19", NULL, "rope:lq=1,lk=100,d=8", F32_SPLIT,
          INSIDE(F32_SPLIT, RPP_FAULT_SPLIT_FIRST)),
    PLANT("split-lse-ln2", "the last split's LSE is ln 2 too large", "subtle", NULL, "rope:lq=1,lk=100,d=8", F32_SPLIT,
          INSIDE(F32_SPLIT, RPP_FAULT_SPLIT_LSE)),
    PLANT("split-weight", "the last split's weight is e^0.02 too large", "subtle", NULL, "rope:lq=1,lk=100,d=8", F32_SPLIT,
          INSIDE(F32_SPLIT, RPP_FAULT_SPLIT_WEIGHT)),

    /* Heads and memory */
    PLANT("gqa-by-count", "KV head o / K, right only where the group has K heads", "BUGS 17", "o / K", "rope:h=12,kv=4,lq=3,d=8",
          F32, INSIDE(F32, RPP_FAULT_KV_BY_COUNT)),
    PLANT("gqa-tiled", "KV head o mod K", "BUGS 18", "tiled", "rope:h=6,kv=2,lq=3,d=8", F32, INSIDE(F32, RPP_FAULT_KV_TILED)),
    PLANT("out-row-stride", "out written as if it were contiguous", "BUGS 20", NULL, "rope:lq=6,d=8,layout=padded", F32,
          PLACE(F32, rpp_place_out_contiguous)),
    PLANT("out-head-major", "out written (batch, heads, length, width)", "BUGS 20", "laid out", "rope:lq=6,d=8", F32,
          PLACE(F32, rpp_place_out_head_major)),
    PLANT("lse-by-group", "LSE of KV head g's r-th head at r K + g", "BUGS 21", NULL, "rope:h=6,kv=2,lq=3,d=8", F32,
          SPOIL(F32, rpp_spoil_lse_by_group)),
    PLANT("lse-strides", "LSE written as if it were contiguous", "BUGS 22", NULL, "rope:b=2,lq=6,d=8,layout=padded", F32,
          PLACE(F32, rpp_place_lse_contiguous)),
    PLANT("qk-strides", "q and k read as if they were contiguous", "BUGS 23", NULL, "rope:lq=6,d=8,layout=sliced", F32,
          CHANGE(F32, rpp_change_qk_contiguous)),
    PLANT("k-head-stride", "k read with q's head stride", "BUGS 24", NULL, "rope:lq=6,d=8,layout=padded", F32,
          CHANGE(F32, rpp_change_k_by_q_head_stride)),
    PLANT("v-strides", "v read with k's strides", "BUGS 24", NULL, "rope:lq=6,d=8,dv=6", F32,
          CHANGE(F32, rpp_change_v_by_k_strides)),
    PLANT("partial-strides", "columns past the rotary width read as if contiguous", "BUGS 25", NULL,
          "rope:lq=6,d=8,rotary=4,layout=padded", F32, CHANGE(F32, rpp_change_rest_contiguous)),
    PLANT("v-of-first-batch", "every sequence reads the first one's v", "BUGS 24", NULL, "rope:b=2,lq=6,d=8", F32,
          CHANGE(F32, rpp_change_first_batch_v)),
    PLANT("batched-positions-overrun", "(B, L) positions launch more groups than there are rows", "BUGS 33", NULL,
          "rope:b=2,lq=6,d=8,batched=1", F32, SPOIL(F32, rpp_spoil_write_when_batched)),

    /* Rotation */
    ROTATING("in-place-overwritten", "in place, a pair's second column is computed from the new first one", "BUGS 12", NULL,
             "rope:lq=6,d=8,inplace=1", F32, INSIDE(F32, RPP_FAULT_OVERWRITTEN_PAIR)),
    ROTATING("partial-not-copied", "rotation out of place leaves the columns past the rotary width unwritten", "BUGS 27", NULL,
             "rope:lq=6,d=8,rotary=4", F32, INSIDE(F32, RPP_FAULT_PARTIAL_NOT_COPIED)),
    PLANT("positions-past-1024", "key positions of a block of 1024 read for the next one too", "BUGS 13", NULL,
          "rope:h=1,lq=1,lk=1100,d=8", F32, CHANGE(F32, rpp_change_positions_past_1024)),
    PLANT("head-width-frequencies", "frequencies from the head width instead of the rotary width", "BUGS 26", "frequencies",
          "rope:lq=6,d=16,rotary=8,position=700,reset=3", F32, CHANGE(F32, rpp_change_head_width_frequencies)),
    PLANT("partial-half", "pairs (n, n + D / 2) where the rotary width is less than D", "BUGS 27", "pairs",
          "rope:lq=6,d=16,rotary=8,pairing=half", F32, INSIDE(F32, RPP_FAULT_HALF_OF_HEAD)),
    PLANT("q-k-crossed", "q and k cross-wired", "BUGS 28", "crossed", "rope:lq=6,d=8", F32, CHANGE(F32, rpp_change_q_k_crossed)),
    PLANT("half-only", "pairing half, whatever is asked for", "BUGS 29", "pairing=half", "rope:lq=6,d=8", F32,
          CHANGE(F32, rpp_change_half_only)),
    PLANT("interleaved-only", "pairing interleaved, whatever is asked for", "BUGS 29", "pairing=interleaved",
          "rope:lq=6,d=8,pairing=half", F32, CHANGE(F32, rpp_change_interleaved_only)),
    ROTATING("positions-bf16", "positions in bfloat16", "BUGS 30", NULL, "rope:lq=6,d=8,position=1857", F32,
             INSIDE(F32, RPP_FAULT_ANGLES_BF16)),
    PLANT("angles-f16", "angles in float16", "BUGS 30", "float16", "rope:lq=6,d=8,position=1857", F32,
          INSIDE(F32, RPP_FAULT_ANGLES_F16)),
    ROTATING("fast-sincos", "angles reduced by a float32 2 pi", "BUGS 31", NULL, "rope:lq=6,d=8,position=131071", F32,
             INSIDE(F32, RPP_FAULT_ANGLES_FAST)),
    PLANT("table-short", "a table of 2048 positions, its last row from there on", "BUGS 32", "table", "rope:lq=6,d=8,position=2046",
          F32, INSIDE(F32, RPP_FAULT_TABLE_CLAMPED)),
    PLANT("table-wrapped", "a table of 4096 positions, from its start again", "BUGS 32", "table", "rope:lq=6,d=8,position=4093",
          F32, INSIDE(F32, RPP_FAULT_TABLE_WRAPPED)),
    PLANT("angles-f32", "float32 angles claimed exact", "subtle", "float32 angles", "rope:lq=6,d=8,position=131071", F32,
          ARITHMETIC(F32_ANGLES)),
    PLANT("magnitude-lost", "yarn's m left out", "paper", "magnitude", "rope:lq=6,d=8,scaling=(yarn:factor=32,orig=4096)", F32,
          INSIDE(F32, RPP_FAULT_MAGNITUDE_LOST)),
    PLANT("magnitude-on-q", "yarn's m on q only", "paper", "magnitude", "rope:lq=6,d=8,scaling=(yarn:factor=32,orig=4096)", F32,
          INSIDE(F32, RPP_FAULT_MAGNITUDE_Q)),
    PLANT("base-fixed", "base 10000, whatever is asked for", "paper", "base", "rope:lq=6,d=8,base=500000", F32,
          CHANGE(F32, rpp_change_base_fixed)),
    PLANT("scaling-lost", "no scaling of frequencies", "paper", "scaling=none", "rope:lq=6,d=8,scaling=linear:factor=8", F32,
          CHANGE(F32, rpp_change_scaling_lost)),
    PLANT("ntk-confused", "ntk for ntk-aware and the other way round", "paper", "scaling=ntk", "rope:lq=6,d=8,scaling=ntk:factor=4",
          F32, CHANGE(F32, rpp_change_ntk_confused)),
    PLANT("yarn-confused", "yarn for yarn-hf and the other way round", "paper", "scaling=yarn",
          "rope:lq=6,d=64,scaling=(yarn:factor=32,orig=4096),position=1000,reset=3", F32, CHANGE(F32, rpp_change_yarn_confused)),
    PLANT("q-position-plus-1", "queries one position too far", "subtle", "position", "rope:lq=6,d=8", F32,
          CHANGE(F32, rpp_change_q_shifted)),
    PLANT("k-position-by-index", "key positions taken from the index", "subtle", NULL, "rope:lq=6,d=8,position=100", F32,
          CHANGE(F32, rpp_change_k_by_index)),
    PLANT("positions-of-first-batch", "query positions of the first sequence for the whole batch", "subtle", "position",
          "rope:b=2,lq=6,d=8,batched=1", F32, CHANGE(F32, rpp_change_first_batch_positions)),

    /* Softmax and sums */
    PLANT("scale-lost", "scores not scaled", "subtle", "scale", "rope:lq=6,d=8", F32, CHANGE(F32, rpp_change_scale_lost)),
    PLANT("scale-twice", "scores scaled twice", "subtle", "scale", "rope:lq=6,d=8", F32, CHANGE(F32, rpp_change_scale_twice)),
    PLANT("max-not-subtracted", "exponentials of the scores themselves", "subtle", NULL, "rope:lq=6,d=8,family=large-logits", F32,
          INSIDE(F32, RPP_FAULT_MAX_NOT_TAKEN)),
    PLANT("score-fused", "scores are scaled and the maximum, which is rounded, subtracted by one fused multiply-add", "subtle",
          NULL, "rope:lq=6,d=64,family=large-logits,scale=1000000", F32, INSIDE(F32, RPP_FAULT_SCORE_FUSED)),
    PLANT("rescale-sum-only", "a new maximum rescales the sum but not the output", "subtle", NULL, "rope:lq=40,d=8,family=drift",
          F32, INSIDE(F32, RPP_FAULT_RESCALE_SUM_ONLY)),
    PLANT("score-f16", "q.k in float16: infinite past 65504", "BUGS 35", NULL, "rope:lq=20,d=64,dtype=f16,family=near-max", F16,
          INSIDE(F16, RPP_FAULT_SCORE_F16)),
    PLANT("sum-f16", "a float16 output accumulator that flushes to zero", "BUGS 36", NULL, "rope:lq=1,lk=300,d=16,dtype=f16", F16,
          INSIDE(F16, RPP_FAULT_SUM_F16)),
    PLANT("sum-bf16", "a bfloat16 output accumulator", "subtle", NULL, "rope:lq=64,d=64,dtype=bf16", BF16,
          INSIDE(BF16, RPP_FAULT_SUM_BF16)),
    PLANT("dot-bf16", "a bfloat16 score accumulator", "subtle", NULL, "rope:lq=64,d=64,dtype=bf16", BF16,
          INSIDE(BF16, RPP_FAULT_DOT_BF16)),
    PLANT("weights-f16-flushed", "weights below 2^-14 become 0", "subtle", NULL, "rope:lq=4,lk=400,d=64,dtype=f16,scale=0.4", F16,
          INSIDE(F16, RPP_FAULT_WEIGHT_FLUSHED)),
    PLANT("tile-gain", "the second tile's weighted values are 1 % too large", "subtle", NULL,
          "rope:h=4,lq=128,d=64,dtype=bf16,mask=full", BF16, INSIDE(BF16, RPP_FAULT_TILE_GAIN)),
    PLANT("store-truncated", "out cut off instead of rounded", "subtle", NULL, "rope:h=4,lq=128,d=64,dtype=bf16", BF16,
          INSIDE(BF16, RPP_FAULT_STORE_TRUNCATED)),
    PLANT("lse-base-2", "LSE in base 2", "subtle", "base 2", "rope:lq=6,d=8", F32, INSIDE(F32, RPP_FAULT_LSE_BASE_2)),
    PLANT("lse-no-max", "LSE without the maximum", "subtle", NULL, "rope:lq=6,d=8", F32, INSIDE(F32, RPP_FAULT_LSE_NO_MAX)),
    PLANT("lse-unscaled", "LSE with the maximum before the scale", "subtle", NULL, "rope:lq=6,d=8", F32,
          INSIDE(F32, RPP_FAULT_LSE_UNSCALED)),

    /* Results */
    PLANT("row-zero", "one row is 0", "subtle", NULL, "rope:lq=6,d=8", F32, SPOIL(F32, rpp_spoil_one_row_zero)),
    PLANT("element-10-percent", "one element is 10 % too large", "subtle", NULL, "rope:lq=6,d=8", F32,
          SPOIL(F32, rpp_spoil_one_element)),
    PLANT("element-unlikely", "one element of a narrow row is further off than is likely, and no further than is possible",
          "subtle", NULL, "rope:lq=4,lk=100,d=16,mask=full", F32, SPOIL(F32, rpp_spoil_one_element_narrow)),
    PLANT("row-rough", "every element of one row is as far off as one may be", "subtle", NULL,
          "rope:lq=4,lk=400,d=64,dtype=bf16,mask=full", BF16, SPOIL(BF16, rpp_spoil_row_rough)),
    PLANT("gain-quiet", "out is 0.15 % too large, which hides in its rounding", "subtle", NULL, "rope:h=4,lq=128,d=64,dtype=bf16",
          BF16, INSIDE(BF16, RPP_FAULT_OUT_GAIN)),
    PLANT("element-1e20", "one element is 1e20", "subtle", NULL, "rope:lq=6,d=8", F32, SPOIL(F32, rpp_spoil_one_huge)),
    PLANT("corner-nan", "one NaN in the row that sees the fewest keys", "subtle", NULL, "rope:lq=6,d=8", F32,
          SPOIL(F32, rpp_spoil_nan_corner)),
    PLANT("writes-after", "one element past out is written", "subtle", NULL, "rope:lq=6,d=8", F32,
          SPOIL(F32, rpp_spoil_write_after)),
    PLANT("writes-before", "one element before LSE is written", "subtle", NULL, "rope:lq=6,d=8", F32,
          SPOIL(F32, rpp_spoil_write_before)),
    PLANT("writes-input", "q is overwritten", "BUGS 12", NULL, "rope:lq=6,d=8", F32, SPOIL(F32, rpp_spoil_input_written)),
    PLANT("tail-row-unwritten", "the last of an odd count of query rows is not written", "subtle", NULL, "rope:lq=7,d=8", F32,
          INSIDE(F32, RPP_FAULT_LAST_QUERY_LOST)),
    PLANT("lse-unwritten", "LSE is never written", "subtle", NULL, "rope:lq=6,d=8", F32, PLACE(F32, rpp_place_lse_nowhere)),
    PLANT("nothing-written", "neither out nor LSE is written", "subtle", NULL, "rope:lq=6,d=8", F32, PLACE(F32, rpp_place_nowhere)),

    {.kernel = {.name = NULL}}};
/* clang-format on */

static const rpp_plant *find(const rpp_plant *plants, const char *name) {
  for (const rpp_plant *plant = plants; plant->kernel.name; plant++)
    if (strcmp(plant->kernel.name, name) == 0) return plant;
  return NULL;
}

const rpp_plant *rpp_plant_find(const char *name) {
  const rpp_plant *plant = find(rpp_plants, name);
  return plant ? plant : find(rpp_cuda_plants(), name);
}
