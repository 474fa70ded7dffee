/*
 * block_table.c: see block_table.h.
 *
 * Lists are of indices rather than pointers: half the size, and an array of zeroes
 * plus one offset is an empty table, so that memory is touched only when used.
 */
#include "06-tcg/translate/block_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "06-tcg/space.h"

#define HASH_BITS 18

/* The least that a block, an exit and a mapped instruction take in the code cache. */
#define BLOCK_BYTES 64
#define EXIT_BYTES  20
#define MAP_BYTES   2

/* Heads are stored plus one, so that zeroed memory means "none". */
static uint32_t head(const uint32_t *heads, uint32_t n)
{
    return heads[n] - 1;
}

static uint32_t hash_of(uint32_t key)
{
    return (key ^ key >> 13) >> 1 & ((1u << HASH_BITS) - 1);
}

static uint32_t first_page(const struct block *block)
{
    return block->key >> SPACE_PAGE_SHIFT;
}

static uint32_t last_page(const struct block *block)
{
    return (block->end - 1) >> SPACE_PAGE_SHIFT;
}

/* Zeroed memory that costs nothing until it is touched. */
static void *reserve(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

int block_table_init(struct block_table *table, size_t code_size)
{
    *table = (struct block_table){
        .block_limit = (uint32_t)(code_size / BLOCK_BYTES),
        .exit_limit = (uint32_t)(code_size / EXIT_BYTES),
        .map_limit = (uint32_t)(code_size / MAP_BYTES),
    };
    table->blocks = reserve(table->block_limit * sizeof *table->blocks);
    table->exits = reserve(table->exit_limit * sizeof *table->exits);
    table->maps = reserve(table->map_limit * sizeof *table->maps);
    table->hash = reserve(sizeof(uint32_t) << HASH_BITS);
    table->page = reserve(sizeof(uint32_t) * SPACE_PAGES);
    if (!table->blocks || !table->exits || !table->maps || !table->hash || !table->page) {
        block_table_free(table);
        return -ENOMEM;
    }
    return 0;
}

static void release(void *memory, size_t size)
{
    if (memory)
        munmap(memory, size);
}

void block_table_free(struct block_table *table)
{
    release(table->blocks, table->block_limit * sizeof *table->blocks);
    release(table->exits, table->exit_limit * sizeof *table->exits);
    release(table->maps, table->map_limit * sizeof *table->maps);
    release(table->hash, sizeof(uint32_t) << HASH_BITS);
    release(table->page, sizeof(uint32_t) * SPACE_PAGES);
}

void block_table_reset(struct block_table *table)
{
    for (uint32_t n = 0; n < table->block_count; n++) {
        table->page[first_page(&table->blocks[n])] = 0;
        table->page[last_page(&table->blocks[n])] = 0;
        table->hash[hash_of(table->blocks[n].key)] = 0;
    }
    table->block_count = table->exit_count = table->map_count = 0;
}

bool block_table_has_room(const struct block_table *table)
{
    return table->block_count < table->block_limit &&
           table->exit_limit - table->exit_count >= GENERATE_EXITS &&
           table->map_limit - table->map_count >= IR_GUEST;
}

struct block *block_table_add(struct block_table *table, const struct ir_block *ir,
                              const struct generated *code)
{
    uint32_t n = table->block_count++;
    struct block *block = &table->blocks[n];
    uint32_t *bucket = &table->hash[hash_of(ir->start)], *page;

    *block = (struct block){.key = ir->start,
                            .end = ir->end,
                            .entry = code->entry,
                            .body = code->body,
                            .code_end = code->end,
                            .insns = code->maps,
                            .first_exit = table->exit_count,
                            .exits = code->exits,
                            .first_map = table->map_count,
                            .callers = BLOCK_NONE,
                            .next_in_hash = *bucket - 1};
    if (ir->inherits)
        block->inherited = ir->recipe[0];
    *bucket = n + 1;
    page = &table->page[first_page(block)];
    block->next_on_page[0] = *page - 1;
    *page = n + 1;
    if (last_page(block) != first_page(block)) {
        page = &table->page[last_page(block)];
        block->next_on_page[1] = *page - 1;
        *page = n + 1;
    }
    for (unsigned i = 0; i < code->exits; i++)
        table->exits[table->exit_count++] = (struct block_exit){.key = code->exit[i].key,
                                                                .jump = code->exit[i].jump,
                                                                .stub = code->exit[i].stub,
                                                                .compare = code->exit[i].compare,
                                                                .recipe = code->exit[i].recipe};
    memcpy(&table->maps[table->map_count], code->map, code->maps * sizeof code->map[0]);
    table->map_count += code->maps;
    return block;
}

static bool inherits(const struct block *block, const struct ir_recipe *recipe)
{
    return recipe ? memcmp(&block->inherited, recipe, sizeof *recipe) == 0
                  : block->inherited.lazy == 0;
}

struct block *block_table_find(struct block_table *table, uint32_t key,
                               const struct ir_recipe *inherited)
{
    for (uint32_t n = head(table->hash, hash_of(key)); n != BLOCK_NONE;
         n = table->blocks[n].next_in_hash)
        if (table->blocks[n].key == key && inherits(&table->blocks[n], inherited))
            return &table->blocks[n];
    return NULL;
}

unsigned block_table_versions(const struct block_table *table, uint32_t key)
{
    unsigned count = 0;

    for (uint32_t n = head(table->hash, hash_of(key)); n != BLOCK_NONE;
         n = table->blocks[n].next_in_hash)
        count += table->blocks[n].key == key;
    return count;
}

const struct ir_recipe *block_table_recipe(const struct block_table *table, uint32_t exit)
{
    const struct block_exit *straight = &table->exits[exit + 1];

    return exit + 1 < table->exit_count && straight->recipe.lazy ? &straight->recipe : NULL;
}

/* Code is appended block by block, so the array is sorted by it. */
struct block *block_table_at(struct block_table *table, uint32_t offset)
{
    uint32_t low = 0, high = table->block_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (table->blocks[middle].code_end <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == table->block_count || offset < table->blocks[low].entry)
        return NULL;
    return &table->blocks[low];
}

const struct code_map *block_map_at(const struct block_table *table, const struct block *block,
                                    uint32_t offset)
{
    const struct code_map *map = &table->maps[block->first_map];
    uint32_t n = 0;

    while (n + 1 < block->insns && map[n + 1].host <= offset)
        n++;
    return &map[n];
}

/* The link of block in the list of the given page. */
static uint32_t *page_link(struct block *block, uint32_t page)
{
    return &block->next_on_page[page != first_page(block)];
}

static void unlink_from_page(struct block_table *table, struct block *block, uint32_t page)
{
    uint32_t self = (uint32_t)(block - table->blocks), n = head(table->page, page);

    if (n == self) {
        table->page[page] = *page_link(block, page) + 1;
        return;
    }
    while (*page_link(&table->blocks[n], page) != self)
        n = *page_link(&table->blocks[n], page);
    *page_link(&table->blocks[n], page) = *page_link(block, page);
}

void block_table_unlink(struct block_table *table, struct block *block)
{
    uint32_t self = (uint32_t)(block - table->blocks);
    uint32_t *bucket = &table->hash[hash_of(block->key)], n = *bucket - 1;

    if (n == self) {
        *bucket = block->next_in_hash + 1;
    } else {
        while (table->blocks[n].next_in_hash != self)
            n = table->blocks[n].next_in_hash;
        table->blocks[n].next_in_hash = block->next_in_hash;
    }
    unlink_from_page(table, block, first_page(block));
    if (last_page(block) != first_page(block))
        unlink_from_page(table, block, last_page(block));
    block->unlinked = true;
}

struct block *block_table_on_page(struct block_table *table, uint32_t page)
{
    uint32_t n = head(table->page, page);

    return n == BLOCK_NONE ? NULL : &table->blocks[n];
}
