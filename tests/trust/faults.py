"""The deliberate faults of the mutation check: each changes one line, in ways that people do."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FAULTS", "Fault"]


class Fault(NamedTuple):
    """`original`, once in ``src_c/<file>``, becomes `faulty`; tests/kernels/test_<family>.py should notice."""

    name: str
    file: str
    family: str
    original: str
    faulty: str


FAULTS = (
    # Bounds and tails.
    Fault("index one too far", "gather.c", "gather", "index[m] >= rows", "index[m] > rows"),
    Fault("tail of one dropped", "optimizers.c", "optimizers", "if (tail < end) update", "if (tail < end - 1) update"),
    Fault(
        "zeros of the tail not seen",
        "dense.c",
        "dense",
        "for (ptrdiff_t i = 0; i < n; i += VL) word |= (uint64_t)lanes_nonzero(load_upto(x + i, n - i)) << i;",
        "for (ptrdiff_t i = 0; i + VL <= n; i += VL) word |= (uint64_t)lanes_nonzero(load_upto(x + i, n - i)) << i;",
    ),
    Fault(
        "bias forgotten in a narrow tile",
        "fused.h",
        "dense",
        "if (bias) tile_bias",
        "if (bias && columns >= vecs * VL) tile_bias",
    ),
    Fault("label one too far", "losses.c", "losses", "job->labels[m] >= job->C", "job->labels[m] > job->C"),
    # Sums in parts.
    Fault("first block of K again", "gemm.c", "gemm", ".add = p->add || job->start > 0", ".add = p->add"),
    Fault("first block of a group again", "dense_backward.h", "dense", "rows, row > start);", "rows, 0);"),
    Fault(
        "last group not added",
        "dense_backward.h",
        "dense",
        "group < job->depth; group++)",
        "group < job->depth - 1; group++)",
    ),
    Fault("activation of a part", "gemm.c", "dense", "last = job->start + job->depth == p->K", "last = 1"),
    Fault(
        "half of the dot product",
        "softmax.c",
        "softmax",
        "fold_group(sum_of, rows, dots, dot);",
        "EACH_ROW (i) dot[i] = dots[i][0];",
    ),
    Fault("patches not added up", "conv_im2col.h", "conv", ".add = 1}", ".add = 0}"),
    Fault(
        "odd entry dropped",
        "conv_pool_backward.h",
        "conv_pool",
        "if (i < entries.count) {",
        "if (i < entries.count - 1) {",
    ),
    # Places.
    Fault(
        "swapped cell of the maximum",
        "pooling.c",
        "pooling",
        "winner = (better & (real_int)(i * s->width + j))",
        "winner = (better & (real_int)(j * s->width + i))",
    ),
    Fault(
        "group forgotten",
        "conv_direct.c",
        "conv",
        "group = job->panel / panels_of_group(g);\n    tile c;\n    tile_zero(c);\n    tile_windows",
        "group = 0;\n    tile c;\n    tile_zero(c);\n    tile_windows",
    ),
    Fault(
        "padding right for left",
        "conv.h",
        "conv",
        "memset(padded, 0, (size_t)image_size(g) * sizeof(real));\n    for (ptrdiff_t h = 0; h < s->H; h++)\n"
        "        memcpy(padded + (s->top + h)",
        "memset(padded, 0, (size_t)image_size(g) * sizeof(real));\n    for (ptrdiff_t h = 0; h < s->H; h++)\n"
        "        memcpy(padded + (s->bottom + h)",
    ),
    Fault(
        "pixel beside the image", "winograd_tiles.h", "conv", "h < p->height ? p->image", "h <= p->height ? p->image"
    ),
    Fault(
        "tiles of a chunk again",
        "conv_winograd_gradient.h",
        "conv",
        "tiles, filters, from > begin)",
        "tiles, filters, 0)",
    ),
    Fault("windows not turned round", "conv_winograd.h", "conv", ".turned = 1}", ".turned = 0}"),
    Fault("infinity mixed into its tile", "conv_winograd.h", "conv", "odd += z * 0;", ""),
    Fault(
        "dilation of the columns dropped",
        "conv_depthwise.h",
        "conv",
        "ptrdiff_t place = j * s->dilation_w - s->left",
        "ptrdiff_t place = j - s->left",
    ),
    Fault(
        "rows of the first chunk again",
        "conv_depthwise.h",
        "conv",
        "item = chunk * job->rows_of_chunk;",
        "item = first * job->rows_of_chunk;",
    ),
    Fault(
        "bias left out",
        "conv_transpose.c",
        "conv_transpose",
        "direct_input_gradient(y, x, w, b, &g, activation)",
        "direct_input_gradient(y, x, w, NULL, &g, activation)",
    ),
    Fault(
        "weight of the other pixel",
        "resample.c",
        "resample",
        "axis->low[q] == s ? 1 - axis->upper[q] : axis->upper[q]",
        "axis->low[q] == s ? axis->upper[q] : 1 - axis->upper[q]",
    ),
    # Ties, NaN and infinity.
    Fault(
        "last of equal cells", "pooling.c", "pooling", "~((x <= best) | is_nan(best))", "~((x < best) | is_nan(best))"
    ),
    Fault("NaN lost by the maximum", "pooling.c", "pooling", "~((x <= best) | is_nan(best))", "(x > best)"),
    Fault(
        "NaN lost by pooling in one pass",
        "conv_pool.c",
        "conv_pool",
        "(z > best) | (is_nan(z) & ~is_nan(best))",
        "(z > best)",
    ),
    Fault("NaN lost by vec_max", "real.h", "softmax", "choose((b > a) | is_nan(b), b, a)", "choose(b > a, b, a)"),
    Fault(
        "no guard against overflow",
        "softmax.c",
        "softmax",
        "group_exp_sum(rows, y, x, max, C, sum);",
        "group_exp_sum(rows, y, x, (real[GROUP]){0}, C, sum);",
    ),
    Fault("NaN lost by the quick power", "rows.h", "softmax", "EACH_ROW (i) sums[i] += seen[i] - seen[i];", ""),
    Fault(
        "lanes of the upper half not folded",
        "rows.h",
        "softmax",
        "half > 2; half /= 2) all",
        "half > 4; half /= 2) all",
    ),
    # Formulas.
    Fault(
        "slope of leaky relu",
        "activations.h",
        "activations",
        "FNN_LEAKY_RELU ? (real)0.2",
        "FNN_LEAKY_RELU ? (real)0.3",
    ),
    Fault(
        "relu's slope at zero",
        "activations.h",
        "activations",
        "case FNN_RELU: return choose(y > 0, dy, (vec){0});",
        "case FNN_RELU: return choose(y >= 0, dy, (vec){0});",
    ),
    Fault(
        "Adam's epsilon under the root",
        "optimizers.c",
        "optimizers",
        "s->rate * m / (vec_sqrt(v) + s->epsilon)",
        "s->rate * m / vec_sqrt(v + s->epsilon)",
    ),
    Fault(
        "Nesterov swapped",
        "optimizers.c",
        "optimizers",
        "s->nesterov ? s->momentum * velocity - push : velocity",
        "s->nesterov ? velocity : s->momentum * velocity - push",
    ),
    Fault(
        "bias of the first cell only",
        "conv_pool.c",
        "conv_pool",
        "* TILE_COLS) + bias;\n            ivec wins",
        "* TILE_COLS);\n            ivec wins",
    ),
    Fault("smoothing not shared out", "losses.c", "losses", "smoothing / (double)job->C", "smoothing"),
    # Sequences: places in time, masks, states between steps and chunks of steps.
    Fault(
        "last step dropped",
        "recurrent_driver.c",
        "simple_rnn",
        "least(CHUNK_STEPS, s->T - first_step);",
        "least(CHUNK_STEPS, s->T - 1 - first_step);",
    ),
    Fault(
        "backwards but for the inputs",
        "recurrent_driver.c",
        "gru",
        "ptrdiff_t row = first_row + i, t = time_of(s, first_step + k);",
        "ptrdiff_t row = first_row + i, t = first_step + k;",
    ),
    Fault(
        "the state before its own step",
        "recurrent_driver.c",
        "lstm",
        "time_of(s, step - 1)) * state->width",
        "t) * state->width",
    ),
    Fault(
        "initial state forgotten",
        "recurrent_driver.c",
        "gru",
        "return state->initial ? state->initial + row * state->width : zeros;",
        "return zeros;",
    ),
    Fault("mask of the first row", "recurrent.h", "simple_rnn", "s->mask[row * s->T + t]", "s->mask[t]"),
    Fault("mask not seen", "recurrent.h", "gru", "return !s->mask || s->mask[row * s->T + t];", "return 1;"),
    Fault(
        "gradient left at masked steps",
        "recurrent_driver.c",
        "lstm",
        "    if (s->mask)\n        for (ptrdiff_t i = 0; i < rows; i++)",
        "    if (!s->mask)\n        for (ptrdiff_t i = 0; i < rows; i++)",
    ),
    Fault(
        "gates left at masked steps",
        "recurrent_driver.c",
        "gru",
        "row_zero(run->z + entry * run->gates * U, run->gates * U);",
        "row_zero(run->z + entry * run->gates * U, (run->gates - 1) * U);",
    ),
    Fault(
        "inner left at masked steps",
        "recurrent_driver.c",
        "gru",
        "if (run->inner) row_zero(run->inner + entry * U, U);",
        "",
    ),
    Fault(
        "last chunk of steps dropped",
        "recurrent_driver.c",
        "lstm",
        "for (ptrdiff_t end = s->T; end > 0;) {",
        "for (ptrdiff_t end = s->T / CHUNK_STEPS * CHUNK_STEPS; end > 0;) {",
    ),
    Fault(
        "final cell state of another row",
        "recurrent_driver.c",
        "lstm",
        "row_copy(run->c.last + first_row * run->c.width, m->c,",
        "row_copy(run->c.last + first_row * run->c.width, m->h,",
    ),
    # Sequences: gates, their gradients, factors of dropout.
    Fault(
        "gates swapped",
        "lstm.c",
        "lstm",
        "vec stays = load_upto(f + j, left) * load_upto(c + j, left);",
        "vec stays = load_upto(o + j, left) * load_upto(c + j, left);",
    ),
    Fault(
        "cell's gradient by the input gate",
        "lstm.c",
        "lstm",
        "store_upto(dc + j, whole * load_upto(f + j, left), left);",
        "store_upto(dc + j, whole * load_upto(i + j, left), left);",
    ),
    Fault(
        "cell's gradient forgotten",
        "lstm.c",
        "lstm",
        "vec whole = load_upto(dc + j, left) + load_upto(through_h + j, left);",
        "vec whole = load_upto(through_h + j, left);",
    ),
    Fault(
        "first row of the bias for both",
        "gru.c",
        "gru",
        "run->b ? run->b + GATES * U : NULL",
        "run->b",
    ),
    Fault(
        "reset forgotten", "gru.c", "gru", "row_times(inner[n], r, at->h[n], U);", "row_copy(inner[n], at->h[n], U);"
    ),
    Fault(
        "update gate upside down",
        "gru.c",
        "gru",
        "store_upto(dcandidate + j, d * (1 - keep), left);",
        "store_upto(dcandidate + j, d * keep, left);",
    ),
    Fault(
        "factors of the first gate for all",
        "recurrent.h",
        "lstm",
        "return f->at + (set * f->B + row) * f->width;",
        "return f->at + row * f->width;",
    ),
    Fault(
        "factors of another row", "recurrent.h", "gru", "factor_row(f, set, row_of_batch[n])", "factor_row(f, set, n)"
    ),
    Fault(
        "slope of the output before its product",
        "simple_rnn.c",
        "simple_rnn",
        "times_slope(at->dz[n] + U, at->dh[n], at->h[n], O, s->other_activation);",
        "row_copy(at->dz[n] + U, at->dh[n], O);",
    ),
    # Sequences: sums over rows, steps and groups.
    Fault(
        "tail of the units dropped",
        "row_products.c",
        "lstm",
        "            store_upto(to, p->add ? sum",
        "            if (left >= VL) store_upto(to, p->add ? sum",
    ),
    Fault(
        "last group not added",
        "recurrent_driver.c",
        "lstm",
        "group < sums->groups; group++",
        "group < sums->groups - 1; group++",
    ),
    Fault(
        "last block of a group dropped",
        "recurrent_driver.c",
        "gru",
        "block < block_of_group(B, group + 1); block++",
        "block < block_of_group(B, group + 1) - 1; block++",
    ),
    Fault(
        "sums by thread",
        "recurrent_driver.c",
        "lstm",
        "        sums_of_group(sums, &run->sums, group);",
        "        real *cleared[MOST_SUMS];\n        sums_of_group(group > first ? cleared : sums, &run->sums, group);",
    ),
    Fault("gates that end within a panel", "recurrent.h", "lstm", "U % TILE_COLS ? U", "U % VL ? U"),
    Fault(
        "first rows of the panels for a row alone",
        "row_products.c",
        "gru",
        "p->panels.depth + p->first * TILE_COLS;",
        "p->panels.depth;",
    ),
    Fault("bias forgotten for a row alone", "row_products.c", "lstm", "if (p->bias) sum[j] +=", "if (0) sum[j] +="),
    # Ids.
    Fault(
        "id one too far",
        "embedding.c",
        "embedding",
        "(uint64_t)ids[i] < (uint64_t)vocabulary;",
        "(uint64_t)ids[i] <= (uint64_t)vocabulary;",
    ),
    Fault("id said twice", "embedding.c", "embedding", "bits &= bits - 1", "bits >>= 1"),
    Fault(
        "repeated ids not added",
        "embedding.c",
        "embedding",
        "load_upto(to + c, D - c) + load_upto(from + c, D - c)",
        "load_upto(from + c, D - c)",
    ),
    Fault(
        "last stale row kept",
        "embedding.c",
        "embedding",
        "k < stale_count; k++) clear_rows",
        "k < stale_count - 1; k++) clear_rows",
    ),
    # Random numbers.
    Fault("one round fewer", "rng.h", "dropout", "PHILOX_ROUNDS = 10", "PHILOX_ROUNDS = 9"),
    Fault("one word more is kept", "dropout.c", "dropout", "below - 1 : below", "below : below"),
    Fault("small u as 1 - u", "dropout.c", "dropout", "w < (1u << 30)", "w < 0u"),
    Fault("the sine's sign a quarter late", "dropout.c", "dropout", "((q & 2)", "(((q + 3) & 2)"),
    # Norms.
    Fault(
        "tail of a sum of squares kept whole",
        "row_norm.h",
        "layer_norm",
        "part[i] += keep_lanes(term, end - c, 0);",
        "part[i] += term;",
    ),
    Fault(
        "mean of the registers, not of the row",
        "row_norm.h",
        "layer_norm",
        "job->mean[row + i] = mean[i] / (real)C;",
        "job->mean[row + i] = mean[i] / (real)round_up(C, VL);",
    ),
    Fault(
        "results of the group before",
        "row_norm.h",
        "layer_norm",
        "const int before = lag ? turn ^ 1 : turn;",
        "const int before = turn;",
    ),
    Fault(
        "dtotal forgotten in the tail",
        "row_norm.h",
        "layer_norm",
        "store_part(dx + here, with_total ? g + load_part(dtotal + here, left) : g, left);",
        "store_part(dx + here, g, left);",
    ),
    Fault(
        "beta's shares taken for gamma's",
        "row_norm.h",
        "layer_norm",
        "add_columns(dbeta, job->sums + C, chunks, 2 * C, C)",
        "add_columns(dbeta, job->sums, chunks, 2 * C, C)",
    ),
    Fault(
        "last rows of a chunk in no group",
        "row_norm.h",
        "layer_norm",
        "for (ptrdiff_t row = whole; row < end; row++) {\n            group_products(1",
        "for (ptrdiff_t row = whole; row < end - 1; row++) {\n            group_products(1",
    ),
    Fault("chunks weighed alike", "batch_norm.c", "batch_norm", "weight = (real)more / total,", "weight = (real)0.5,"),
    Fault(
        "masked rows in the variance",
        "batch_norm.c",
        "batch_norm",
        "for (row = begin; row < end; row++) {\n        if (!row_counts(job, row)) continue;",
        "for (row = begin; row < end; row++) {",
    ),
    Fault(
        "residual before the scale",
        "batch_norm.c",
        "batch_norm",
        "if (residual) y += load_upto(job->residual + place, left);\n        if (relu) y = at_least(y, 0);",
        "if (relu) y = at_least(y, 0);\n        if (residual) y += load_upto(job->residual + place, left);",
    ),
    Fault(
        "means of channels not about the group's",
        "group_norm.c",
        "group_norm",
        "total += squares[c] + (double)job->S * (mean[c] - middle) * (mean[c] - middle);",
        "total += squares[c];",
    ),
    Fault("gamma forgotten in A", "group_norm.c", "group_norm", "A += gamma * sums[c];", "A += sums[c];"),
    # Attention.
    Fault(
        "sums of values not brought to the new maximum",
        "attention.c",
        "attention",
        "store(factors + i, factor);",
        "store(factors + i, splat(1));",
    ),
    Fault(
        "odd key not in the maximum", "attention.c", "attention", "if (keys % 2) other =", "if (keys % 4 == 3) other ="
    ),
    Fault(
        "a query that sees nothing divides by 0",
        "attention.c",
        "attention",
        "choose(nothing, (vec){0}, job->dropout.scale / total)",
        "job->dropout.scale / total",
    ),
    Fault(
        "last key of the reach left out",
        "attention.c",
        "attention",
        "least(a->TK, s->queries[nq - 1] + a->after + 1));",
        "least(a->TK, s->queries[nq - 1] + a->after));",
    ),
    Fault("heads of keys mixed up", "attention.h", "attention", "number / (a->N / a->NK);", "number % a->NK;"),
    Fault(
        "dropped pairs keep their slope",
        "attention_backward.h",
        "attention",
        "store(slopes + i, choose(load(weights + i) < 0, (vec){0}, load(slopes + i)));",
        "store(slopes + i, load(slopes + i));",
    ),
    Fault(
        "second head of a key assigns over the first",
        "attention_backward.h",
        "attention",
        "const int fresh = n == shared * heads;",
        "const int fresh = 1;",
    ),
    Fault(
        "one part of the keys not added",
        "attention_backward.h",
        "attention",
        "for (ptrdiff_t part = 1; part < job->parts; part++) sum +=",
        "for (ptrdiff_t part = 2; part < job->parts; part++) sum +=",
    ),
    Fault(
        "queries beyond the last one flagged",
        "pairs.h",
        "attention",
        "while (low < nq && queries[low] + a->after < keys[j]) low++;",
        "while (low < nq && queries[low] + a->after <= keys[j]) low++;",
    ),
    Fault(
        "byte 2 is no truth",
        "additive_attention.h",
        "attention",
        "seen += mask[list[n]] != 0;",
        "seen += mask[list[n]] & 1;",
    ),
    Fault(
        "ds one way only",
        "self_attention.h",
        "attention",
        "if (status == FNN_OK) status = matrix_product(dx, ds, 1, T, x, D, 1, T, D, T, 1);",
        "if (status == FNN_OK) status = matrix_product(dx, ds, T, 1, x, D, 1, T, D, T, 1);",
    ),
    # Several arrays.
    Fault("gradient of every maximum", "merge.c", "merge", "free[v] &= ~here;", "free[v] = ~(ivec){0};"),
    Fault(
        "sign of each second array", "merge.c", "merge", "mode == FNN_SUBTRACT && k; v++)", "mode == FNN_SUBTRACT; v++)"
    ),
    Fault("row not counted on", "merge.c", "merge", "            k = 0;\n            row++;", "            k = 0;"),
    Fault(
        "panels of the first projection for all",
        "gemm.c",
        "dense",
        "for (ptrdiff_t i = 0; i < job->count; panels += packed_size(p + i), i++)",
        "for (ptrdiff_t i = 0; i < job->count; i++)",
    ),
    Fault(
        "later projections assign dx",
        "dense.c",
        "dense",
        "backward_in_one_pass(dx, i > 0, x, parts + i, taken, M, K)",
        "backward_in_one_pass(dx, 0, x, parts + i, taken, M, K)",
    ),
)
