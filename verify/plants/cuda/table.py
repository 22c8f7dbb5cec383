"""table.py: faults of the CUDA kind, planted into the kernels of cuda/: what make.py reads.

Of each: its name; the kernel it is in (a rpp_kernel_simt_... of verify/kernels); the file, and the old text in it, found exactly once, that
becomes the new one; what it is; a case that shows it (a SPEC). One of `says` (a word of the right explanation) and `report` (of the SIMT
runtime's report) where there is one; else a gate finds it and nothing is asked of the explanation."""

from dataclasses import dataclass


@dataclass
class Plant:
    name: str
    kernel: str
    file: str
    old: str
    new: str
    what: str
    region: str
    says: str = None
    report: str = None


F32, MMA = 'attention_f32', 'attention_bf16'

PLANTS = [
    # Barriers
    Plant('cuda-barrier-leading', F32, 'attention_f32.cu',
          's.v[j * dv + c] = v[c * p.v.strides[3]];\n    }\n    __syncthreads();\n',
          's.v[j * dv + c] = v[c * p.v.strides[3]];\n    }\n\n',
          'no barrier between the load of a tile and its use', 'rope:lq=6,d=8'),
    Plant('cuda-barrier-trailing', F32, 'attention_f32.cu',
          '    __syncthreads();                                       // the tile before is no longer read\n', '\n',
          'no barrier between the use of a tile and the load of the next', 'rope:lq=40,d=8'),
    Plant('cuda-barrier-ranges', F32, 'attention_f32.cu',
          's.q + row * (d + 1), part, PARTS);\n  }\n  __syncthreads();\n', 's.q + row * (d + 1), part, PARTS);\n  }\n\n',
          'no barrier between what rows see and the look at all of them', 'rope:lq=40,d=8', report='divergent barrier'),
    Plant('cuda-barrier-tail-rows', F32, 'attention_f32.cu',
          's.q + row * (d + 1), part, PARTS);\n  }\n  __syncthreads();\n',
          's.q + row * (d + 1), part, PARTS);\n    __syncthreads();\n  }\n',
          'rows past the last one skip a barrier', 'rope:lq=6,d=8', report='divergent barrier'),
    Plant('cuda-barrier-own-range', F32, 'attention_f32.cu', 'start < end; start += KEYS', 'start < last; start += KEYS',
          'every row goes through as many tiles, and barriers, as it needs itself', 'rope:lq=40,d=8', report='divergent barrier'),

    # Shuffles
    Plant('cuda-shuffle-mask', F32, 'attention_f32.cu', 'WARP_LANES = 0xffffffff;', 'WARP_LANES = 0x0fffffff;',
          'a mask that leaves four lanes out', 'rope:lq=6,d=8', report='does not name the calling lane'),
    Plant('cuda-shuffle-pairs', F32, 'attention_f32.cu', 'return larger(x, __shfl_xor_sync(WARP_LANES, x, 2));',
          'return larger(x, __shfl_xor_sync(3u << (threadIdx.x & 30), x, 2));',
          'a mask of two lanes, which read the next two', 'rope:lq=6,d=8', report='does not name'),
    Plant('cuda-shuffle-inactive', F32, 'attention_f32.cu', 'top = larger(m, row_maximum(top));',
          'if (start < last) top = larger(m, row_maximum(top));',
          'rows that see nothing of a tile stay away from a shuffle that names them', 'rope:lq=1,d=8', report='__shfl_xor_sync'),
    Plant('cuda-maximum-two-lanes', F32, 'attention_f32.cu', 'return larger(x, __shfl_xor_sync(WARP_LANES, x, 2));', 'return x;',
          "a row's maximum over two of its four lanes", 'rope:lq=6,d=8'),

    # Shared memory
    Plant('cuda-shared-launch', F32, 'attention_f32.cu', 'floats_of(p.head_dim, p.v_dim) * sizeof(float);',
          'floats_of(p.head_dim, p.v_dim) * sizeof(float) - 64;',
          'launched with 64 bytes of shared memory too few', 'rope:lq=6,d=8', report='too little shared memory'),
    Plant('cuda-shared-weights', F32, 'attention_f32.cu', 'ROWS * (KEYS + 1));\n', 'ROWS * (KEYS + 1) - 16);\n',
          'room for the weights counted 64 bytes short', 'rope:lq=6,d=8', report='of shared memory was written'),

    # Tails and blocks
    Plant('cuda-tail-unmasked', F32, 'attention_f32.cu', 'if (start + j < first || start + j >= last) continue;',
          'if (start + j < first) continue;', 'the tail of the last tile is not masked', 'rope:lq=20,d=8,mask=full'),
    Plant('cuda-tail-rows', F32, 'attention_f32.cu', 'if (item >= items) return; // no barrier is left',
          'if ((tile + 1) * ROWS > items) return;', 'rows of a block that is not full are not written', 'rope:lq=6,d=8',
          says='not written'),
    Plant('cuda-blocks-overlap', F32, 'attention_f32.cu', 'tile = blockIdx.x % p.tiles,', 'tile = blockIdx.x / 2 % p.tiles,',
          'two blocks write the same rows, and nobody the others', 'rope:h=1,lq=40,d=8'),
    Plant('cuda-empty-rows', F32, 'attention_f32.cu', 'if (item >= items) return; // no barrier is left',
          'if (item >= items || first >= last) return;', 'rows that see no key are not written', 'rope:lq=12,lk=6,d=8'),
    Plant('cuda-empty-lse-slot', F32, 'attention_f32.cu', 'head * p.lse_strides[1] + i * p.lse_strides[2]]',
          'head * p.lse_strides[1] + (empty ? 0 : i) * p.lse_strides[2]]',
          'rows that see no key all write the first LSE', 'rope:lq=12,lk=6,d=8'),

    # Memory
    Plant('cuda-offset-int32', F32, 'attention_f32.cu', 'const float *v = p.v.row(b, key, kv);',
          'const float *v = p.v.data + static_cast<int>(b * p.v.strides[0] + key * p.v.strides[1] + kv * p.v.strides[2]);',
          'offsets into v in 32 bits', 'rope:h=1,lq=2,d=8,layout=sparse', says='32 bits'),
    Plant('cuda-k-stride-of-q', F32, 'attention_f32.cu', 'p.k.row(b, key, kv), p.k.strides[3]',
          'p.k.data + b * p.k.strides[0] + key * p.q.strides[1] + kv * p.k.strides[2], p.k.strides[3]',
          "k read with q's stride of tokens", 'rope:h=4,kv=2,lq=6,d=8'),
    Plant('cuda-table-of-first-batch', F32, 'attention_f32.cu', 'p.k_table.row(b, key), s.k', 'p.k_table.row(0, key), s.k',
          "every sequence's keys turned by the angles of the first", 'rope:b=2,lq=6,d=8,batched=1', says="the first sequence's"),
    Plant('cuda-columns-tail', F32, 'attention_f32.cu', 'c < p.head_dim; c += step) to[c]', 'c + step <= p.head_dim; c += step) to[c]',
          'columns past the rotary width that are no whole step are not loaded', 'rope:lq=6,d=10,rotary=4'),

    # RoPE++ and softmax
    Plant('cuda-turn-mirrored', F32, 'attention_f32.cu', 'to[two] = imaginary ? -x : y;', 'to[two] = imaginary ? x : y;',
          'the quarter turn without its sign', 'ec:h=1,lq=3,d=4', says='mirrored'),
    Plant('cuda-turn-parity', F32, 'attention_f32.cu', '!p.q_rotated && head % 2 == 1,', '!p.q_rotated && head % 2 == 0,',
          'even heads turned instead of odd ones', 'ec:h=1,lq=3,d=4', says='swapped'),
    Plant('cuda-gqa-tiled', F32, 'attention_f32.cu', 'head = kv * p.group + item % p.group;',
          'head = item % p.group * p.kv_heads + kv;', 'KV head o mod K', 'rope:h=6,kv=2,lq=3,d=8', says='o mod K'),
    Plant('cuda-rescale-lost', F32, 'attention_f32.cu', 'acc[c] *= rescale;', '(void)rescale;',
          'the output is not rescaled to a new maximum', 'rope:lq=40,d=8,family=drift'),
    Plant('cuda-window-wider', F32, 'attention.cu', 'near(a->causal_offset, 1, a->window)', 'near(a->causal_offset, 0, a->window)',
          'a window one key too wide', 'rope:lq=20,d=8,mask=window:4', says='window'),
    Plant('cuda-packed-next', F32, 'attention.h', 'if (p.cu_q.at(middle) <= i)', 'if (p.cu_q.at(middle) < i)',
          'the first query of a packed sequence taken for one of the sequence before', 'rope:lq=20,d=8,packed=4'),

    # attention_mma
    Plant('cuda-mma-wait', MMA, 'attention_mma.cu', 'cp_async_wait_all();\n    __syncthreads(); // this stage',
          'cp_async_wait<1>();\n    __syncthreads(); // this stage',
          'a tile is waited for one group too late', 'rope:lq=6,d=64,dtype=bf16', report='what a cp.async is still to bring'),
    Plant('cuda-mma-barrier', MMA, 'attention_mma.cu', '    __syncthreads(); // this stage', '    // this stage',
          'every thread waits for its own copies of a tile, and not for the others', 'rope:lq=6,d=64,dtype=bf16'),
    Plant('cuda-mma-stage', MMA, 'attention_mma.cu', 'load_tile(start + S::KEYS, stage ^ 1);', 'load_tile(start + S::KEYS, stage);',
          'the next tile is loaded into the stage that is still read', 'rope:lq=6,lk=100,d=64,dtype=bf16'),
    Plant('cuda-mma-key-fragment', MMA, 'mma_tiles.h', 'k += (lane % 8 + lane / 16 * 8) * STRIDE + lane / 8 % 2 * 8;',
          'k += lane % 16 * STRIDE + lane / 16 * 8;', "k's fragments laid out as q's", 'rope:lq=6,d=64,dtype=bf16'),
    Plant('cuda-mma-weight-fragment', MMA, 'mma_tiles.h', 's[t][2 * n + i / 2][i % 2 * 2], s[t][2 * n + i / 2][i % 2 * 2 + 1]',
          's[t][2 * n + i % 2][i / 2 * 2], s[t][2 * n + i % 2][i / 2 * 2 + 1]',
          'rows and keys of the fragment of weights exchanged', 'rope:lq=20,d=64,dtype=bf16'),
    Plant('cuda-mma-value-fragment', 'attention_f16', 'mma_tiles.h', 'ldmatrix_x4_trans(b, v', 'ldmatrix_x4(b, v',
          'fragments of v not transposed', 'rope:lq=6,d=64,dtype=f16'),
    Plant('cuda-mma-tail-unmasked', MMA, 'attention_mma.cu', 'start < own.all_first || start + S::KEYS > own.all_last)',
          'start < own.all_first)', 'the tail of the last tile is not masked', 'rope:lq=6,d=64,dtype=bf16'),
    Plant('cuda-mma-tile-skipped', MMA, 'attention_mma.cu', 'if (start >= own.last ||', 'if (start + 1 >= own.last ||',
          'a last tile of one key is left out', 'rope:lq=1,lk=65,d=8,dtype=bf16'),

    # decode
    Plant('cuda-combine-empty', 'decode_f32', 'decode.cu',
          'if (stats[2 * n] != -INFINITY) x += exp2_approx((stats[2 * n] - top) * LOG2_E) * parts[n * p.v_dim + c];',
          'x += exp2_approx((stats[2 * n] - top) * LOG2_E) * parts[n * p.v_dim + c];',
          'the part of an empty split, which nobody wrote, is added', 'ec:h=8,kv=4,lq=1,lk=62,d=2'),
    Plant('cuda-decode-wait', 'decode_bf16', 'decode_mma.cu', 'cp_async_wait<S::STAGES - 1>();', 'cp_async_wait<S::STAGES>();',
          'a tile is waited for one group too late', 'rope:lq=1,lk=100,d=64,dtype=bf16', report='what a cp.async is still to bring'),
    Plant('cuda-decode-warps', 'decode_bf16', 'decode_mma.cu',
          '  __syncthreads();\n  store<W, TILES>(', '\n  store<W, TILES>(',
          'no barrier before the sums of the warps are put together', 'rope:lq=1,lk=100,d=8,dtype=bf16'),
    Plant('cuda-decode-length', 'decode_f32', 'decode.h', 'clamp(p.lengths.at(b), 0, p.k_len)', 'clamp(p.lengths.at(b) - 1, 0, p.k_len)',
          'a cache one token too short', 'rope:lq=1,lk=6,d=8'),
    Plant('cuda-pages-of-first', 'decode_paged_f32', 'decode.h', 'at = b * pages.strides[0] + page * pages.strides[1];',
          'at = page * pages.strides[1];', "every sequence reads the first one's pages", 'rope:b=2,lq=1,lk=6,d=8'),
    Plant('cuda-append-raw', 'decode_paged_bf16', 'kv_append.cu', 'const int64_t pairs = p.table.pairs,', 'const int64_t pairs = 0,',
          'new keys are put into the cache as they come', 'rope:lq=1,lk=6,d=8,dtype=bf16'),

    # Rotation
    Plant('cuda-rotate-in-place', 'rotate', 'rotate.cu', 'rpp_narrow(turned_b, to_real + second * real.strides[3]);',
          'rpp_narrow(b2 * cosine[n] + rpp_widen(from[first * x.strides[3]]) * sine[n], to_real + second * real.strides[3]);',
          'a column is read again after its pair was written', 'rope:lq=6,d=8,inplace=1'),
    Plant('cuda-rotate-tail-columns', 'rotate_bf16', 'rotate.cu', 'c < s.width; c += LANES)', 'c + LANES <= s.width; c += LANES)',
          'columns past the rotary width that are no whole warp are not copied', 'rope:lq=6,d=8,rotary=4,dtype=bf16'),
    Plant('cuda-rotate-tail-rows', 'rotate_f16', 'rotate.cu', 'row < rows; row += step)', 'row < rows / WARPS * WARPS; row += step)',
          'rows of a block that is not full are not written', 'rope:h=1,lq=6,d=8,dtype=f16'),
    Plant('cuda-rotate-half-of-head', 'rotate', 'rotate.cu', 'second = s.pairing == RPP_PAIRING_HALF ? n + table.pairs',
          'second = s.pairing == RPP_PAIRING_HALF ? n + s.width / 2',
          'pairs (n, n + D / 2) where the rotary width is less than D', 'rope:lq=6,d=16,rotary=8,pairing=half'),
    Plant('cuda-positions-of-batch', 'rotate', 'angles.cu', 'offset = at / p.tokens * p.row_stride + at', 'offset = at',
          'positions of every sequence read as if one followed the other', 'rope:b=2,lq=6,d=8,batched=1,layout=padded'),
    Plant('cuda-angles-f32', 'rotate', 'angles.cu', 'sincos_turns(static_cast<double>(t), f.hi[n], f.lo[n], &c, &s);',
          'sincos_turns(static_cast<double>(static_cast<float>(t) * static_cast<float>(f.hi[n])), 1, 0, &c, &s);',
          'angles in float32', 'rope:lq=6,d=8,position=131071'),
    Plant('cuda-table-tail', 'rotate', 'angles.cu', 'i < count; i += step)', 'i < count / THREADS * THREADS; i += step)',
          'entries of the table of angles past whole blocks are not written', 'rope:lq=6,d=8'),
]

# What only a sanitizer sees: the results are right, on the CPU. A case is not asked for: tests/sanitized_plants.c has its own.


@dataclass
class SanitizerPlant:
    name: str
    kernel: str
    file: str
    old: str
    new: str
    what: str


ADDRESS_PLANTS = [
    SanitizerPlant('tile-tail-loaded', F32, 'attention_f32.cu', 'if (key < begin || key >= end) continue;', '',
                   'keys past the last one are read, and masked later'),
    SanitizerPlant('rows-tail-loaded', F32, 'attention_f32.cu', "if (item < items) { // a row's four threads load it", '{',
                   'rows past the last one are read, and not written'),
    SanitizerPlant('column-into-padding', F32, 'attention_f32.cu', 'c < p.head_dim; c += step) to[c]', 'c <= p.head_dim; c += step) to[c]',
                   'a column past a row of q or k is read, and put into the padding'),
]

THREAD_PLANTS = [
    SanitizerPlant('syncwarp-lost', F32, 'attention_f32.cu', "__syncwarp(); // a row's weights were written by its four lanes", '',
                   'nothing orders the weights that the four lanes of a row write and read'),
    SanitizerPlant('blocks-share-row', F32, 'attention_f32.cu', 'item = tile * ROWS + row,', 'item = tile * (ROWS - 1) + row,',
                   'two blocks write the same row, the same values'),
    SanitizerPlant('lse-by-four-lanes', F32, 'attention_f32.cu', 'if (p.lse && part == 0)', 'if (p.lse)',
                   "a row's four lanes write its LSE, the same value"),
    SanitizerPlant('rows-twice', 'rotate', 'rotate.cu', 'row < rows; row += step)', 'row < rows; row += step / 4)',
                   'warps of other blocks write the same row, the same values'),
    SanitizerPlant('atomics-dropped', 'tally', 'tally.cu', 'atomicAdd(count, 1u);', '*count += 1;',
                   'threads count in the same place without atomics'),
]
