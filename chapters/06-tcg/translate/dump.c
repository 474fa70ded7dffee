/*
 * dump.c: looking at blocks: the stages as text, as JSON, and for perf.
 *
 * Nothing of this is kept for the sake of being looked at. A block that somebody wants
 * to see goes through all stages once more, with an ear to what the encoder says; as
 * every stage is deterministic the result is what runs.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "06-tcg/arm/insn.h"
#include "06-tcg/arm/interpret.h"
#include "06-tcg/translate/engine.h"
#include "common/bits.h"

#define TEXT_SIZE 128

/* A file, and what is printed before each line. */
struct sheet {
    FILE *file;
    const struct x86_code *code;
    const char *separator;
};

struct name {
    const char *name;
    unsigned bit;
};

static const struct name techniques[] = {
    {"optimizer", TRANSLATOR_NO_OPTIMIZER},
    {"chaining", TRANSLATOR_NO_CHAINING},
    {"pins", TRANSLATOR_NO_PINS},
    {"fusing", TRANSLATOR_NO_FUSING},
    {"lazy", TRANSLATOR_NO_LAZY},
    {"repeating", TRANSLATOR_NO_REPEATING},
    {"deferring", TRANSLATOR_NO_DEFERRING},
    {"literals", TRANSLATOR_NO_LITERALS},
    {"select", TRANSLATOR_NO_SELECT},
    {"liveness", TRANSLATOR_NO_LIVENESS},
    {"inheriting", TRANSLATOR_NO_INHERITING},
    {"runs", TRANSLATOR_NO_RUNS},
    {"following", TRANSLATOR_NO_FOLLOWING},
    {"saving", TRANSLATOR_NO_SAVING},
    {"cutting", TRANSLATOR_NO_CUTTING},
    {"tiering", TRANSLATOR_NO_TIERING},
    {"choices", TRANSLATOR_NO_CHOICES},
    {"idioms", TRANSLATOR_NO_IDIOMS},
    {"meeting", TRANSLATOR_NO_MEETING},
    {"placing", TRANSLATOR_NO_PLACING},
    {"bmi", TRANSLATOR_NO_BMI},
    {"forwarding", TRANSLATOR_NO_FORWARDING},
    {"caching", TRANSLATOR_NO_CACHING},
};

static const struct name stages[] = {
    {"arm", TRANSLATOR_DUMP_ARM},
    {"ir", TRANSLATOR_DUMP_IR},
    {"opt", TRANSLATOR_DUMP_OPT},
    {"x86", TRANSLATOR_DUMP_X86},
};

/* Names separated by commas. *bad points at the first one that is not in the list. */
static bool parse(const struct name *list, size_t count, const char *names, unsigned *bits,
                  const char **bad)
{
    while (*names) {
        size_t length = strcspn(names, ","), n = 0;

        while (n < count && (strlen(list[n].name) != length || memcmp(list[n].name, names, length)))
            n++;
        if (n == count) {
            *bad = names;
            return false;
        }
        *bits |= list[n].bit;
        names += length + (names[length] == ',');
    }
    return true;
}

bool translator_parse_without(const char *names, unsigned *without, const char **bad)
{
    return parse(techniques, ARRAY_SIZE(techniques), names, without, bad);
}

bool translator_parse_dump(const char *names, unsigned *dump, const char **bad)
{
    return parse(stages, ARRAY_SIZE(stages), names, dump, bad);
}

/* Calls line() with each guest instruction of a block, as text. */
static void each_insn(struct translator *t, const struct ir_block *ir, void *self,
                      void (*line)(void *self, uint32_t address, uint32_t raw, const char *text))
{
    struct arm_cpu fetcher = {.space = t->space, .thumb = ir->start & 1};
    struct arm_insn insn;
    struct arm_stop stop;
    char text[TEXT_SIZE];

    for (unsigned i = 0; i < ir->count; i++) {
        uint32_t at = ir->insns[i].imm & ~1u;

        if (ir->insns[i].op != IR_INSN)
            continue;
        if (!arm_fetch(&fetcher, at, &insn, &stop))
            return;
        line(self, at, insn.raw, arm_disassemble(&insn, at, text, sizeof text));
    }
}

static void print_insn(void *self, uint32_t address, uint32_t raw, const char *text)
{
    fprintf(self, "%8x:  %08x  %s\n", address, raw, text);
}

void engine_dump_stage(struct translator *t, const struct ir_block *ir, unsigned stage)
{
    FILE *file = t->options.dump_file ? t->options.dump_file : stderr;

    if (!(t->options.dump & stage))
        return;
    if (stage == TRANSLATOR_DUMP_ARM) {
        fprintf(file, "\narm, block %#x\n", ir->start);
        each_insn(t, ir, file, print_insn);
    } else {
        fprintf(file, stage == TRANSLATOR_DUMP_IR ? "ir\n" : "optimized\n");
        ir_print(file, ir);
    }
}

/*
 * Generates the block's code once more, at the same offsets but into memory of no use,
 * with a listener. code->bytes is to be released with munmap().
 */
static void generate_again(struct translator *t, const struct block *block,
                           const struct ir_block *ir, x86_listener *listener, void *self,
                           struct x86_code *code)
{
    struct generate_options options = engine_generate_options(t, block->first_exit);
    struct generated *out = malloc(sizeof *out);

    *code = t->cache.code;
    code->bytes = mmap(NULL, code->limit, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (code->bytes != MAP_FAILED && out) {
        code->size = block->entry;
        code->listener = listener;
        code->self = self;
        generate(code, ir, &options, out);
    }
    free(out);
}

static void print_x86(void *self, size_t offset, const char *text)
{
    struct sheet *sheet = self;

    fprintf(sheet->file, "%8zx:  ", offset);
    for (size_t at = offset; at < sheet->code->size; at++)
        fprintf(sheet->file, "%02x", sheet->code->bytes[at]);
    fprintf(sheet->file, "%*s%s\n", (int)(2 * (11 - (sheet->code->size - offset)) + 2), "", text);
}

void engine_dump_x86(struct translator *t, const struct block *block, struct ir_block *ir)
{
    struct x86_code code;
    struct sheet sheet = {.file = t->options.dump_file ? t->options.dump_file : stderr,
                          .code = &code};

    if (!(t->options.dump & TRANSLATOR_DUMP_X86))
        return;
    fprintf(sheet.file, "x86-64\n");
    generate_again(t, block, ir, print_x86, &sheet, &code);
    munmap(code.bytes, code.limit);
}

void engine_perf_map(struct translator *t, const struct block *block)
{
    char name[64];

    if (!t->perf_map) {
        snprintf(name, sizeof name, "/tmp/perf-%d.map", (int)getpid());
        t->perf_map = fopen(name, "w");
    }
    if (t->perf_map) {
        fprintf(t->perf_map, "%lx %x arm_%x\n", (unsigned long)engine_code(t, block->entry),
                block->code_end - block->entry, block->key);
        fflush(t->perf_map);
    }
}

/* ---- JSON --------------------------------------------------------------------------- */

static void json_string(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', file);
        fputc(*text == '\t' || *text == '\n' ? ' ' : *text, file);
    }
    fputc('"', file);
}

static void next_item(struct sheet *sheet)
{
    fputs(sheet->separator, sheet->file);
    sheet->separator = ",\n      ";
}

static void json_insn(void *self, uint32_t address, uint32_t raw, const char *text)
{
    struct sheet *sheet = self;

    next_item(sheet);
    fprintf(sheet->file, "{\"address\": %u, \"raw\": %u, \"text\": ", address, raw);
    json_string(sheet->file, text);
    fputc('}', sheet->file);
}

static void json_x86(void *self, size_t offset, const char *text)
{
    struct sheet *sheet = self;

    next_item(sheet);
    fprintf(sheet->file, "{\"offset\": %zu, \"bytes\": \"", offset);
    for (size_t at = offset; at < sheet->code->size; at++)
        fprintf(sheet->file, "%02x", sheet->code->bytes[at]);
    fprintf(sheet->file, "\", \"text\": ");
    json_string(sheet->file, text);
    fputc('}', sheet->file);
}

static void json_ir(FILE *file, const struct ir_block *ir)
{
    struct sheet sheet = {.file = file, .separator = ""};

    for (unsigned i = 0; i < ir->count; i++) {
        char *text = NULL;
        size_t size;
        FILE *line;

        if (ir->insns[i].op == IR_NOP || !(line = open_memstream(&text, &size)))
            continue;
        ir_print_insn(line, ir, i);
        fclose(line);
        text[strcspn(text, "\n")] = '\0';
        next_item(&sheet);
        json_string(file, text);
        free(text);
    }
}

/* One block. ir is work space. */
static void json_block(struct translator *t, const struct block *block, struct ir_block *ir,
                       FILE *file)
{
    const struct ir_recipe *inherited = block->inherited.lazy ? &block->inherited : NULL;
    struct arm_cpu cpu = {.space = t->space};
    struct sheet arm = {.file = file, .separator = ""}, x86 = {.file = file, .separator = ""};
    struct x86_code code;
    struct arm_stop stop;

    fprintf(file, "{\"key\": %u, \"executions\": %llu,\n    \"arm\": [", block->key,
            (unsigned long long)block->executions);
    if (engine_lift(t, &cpu, block->key, inherited, block->insns, ir, ENGINE_SHOW_IR, &stop)) {
        each_insn(t, ir, &arm, json_insn);
        fputs("],\n    \"ir\": [", file);
        json_ir(file, ir);
        fputs("],\n    \"optimized\": [", file);
        engine_lift(t, &cpu, block->key, inherited, block->insns, ir, ENGINE_SHOW_ALL, &stop);
        json_ir(file, ir);
        fputs("],\n    \"x86\": [", file);
        x86.code = &code;
        generate_again(t, block, ir, json_x86, &x86, &code);
        munmap(code.bytes, code.limit);
    }
    fputs("]}", file);
}

void translator_dump_json(struct translator *t, FILE *file)
{
    struct ir_block *ir = malloc(sizeof *ir);
    const char *separator = "";

    if (!ir)
        return;
    pthread_mutex_lock(&t->lock);
    fputs("{\"blocks\": [", file);
    for (uint32_t n = 0; n < t->blocks.block_count; n++) {
        if (t->blocks.blocks[n].unlinked)
            continue;
        fprintf(file, "%s\n  ", separator);
        json_block(t, &t->blocks.blocks[n], ir, file);
        separator = ",";
    }
    fputs("\n]}\n", file);
    pthread_mutex_unlock(&t->lock);
    free(ir);
}

/* ---- profile ------------------------------------------------------------------------ */

static uint64_t work(const struct block *block)
{
    return block->executions * block->insns;
}

static int busier(const void *a, const void *b)
{
    uint64_t left = work(*(struct block *const *)a), right = work(*(struct block *const *)b);

    return left < right ? 1 : left > right ? -1 : 0;
}

void translator_profile(struct translator *t, FILE *file, unsigned lines)
{
    struct block **sorted;
    uint64_t total = 0;

    pthread_mutex_lock(&t->lock);
    sorted = calloc(t->blocks.block_count + 1, sizeof(struct block *));
    for (uint32_t n = 0; sorted && n < t->blocks.block_count; n++) {
        sorted[n] = &t->blocks.blocks[n];
        total += work(sorted[n]);
    }
    if (sorted && total) {
        qsort(sorted, t->blocks.block_count, sizeof(struct block *), busier);
        fprintf(file, "  share  executions  insns  block\n");
        for (uint32_t n = 0; n < t->blocks.block_count && n < lines && work(sorted[n]); n++)
            fprintf(file, "%6.2f%%  %10llu  %5u  %#x\n",
                    100.0 * (double)work(sorted[n]) / (double)total,
                    (unsigned long long)sorted[n]->executions, sorted[n]->insns, sorted[n]->key);
    }
    free(sorted);
    pthread_mutex_unlock(&t->lock);
}
