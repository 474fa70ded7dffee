/*
 * block_table.h: which guest code has been translated, where, and who jumps to it.
 *
 *   key  ------ hash ------>  block  --- exits --->  exit --- chained to --> block
 *   page ------ list ------>    "      <-- callers --  "
 *   host offset - search -->    "
 *
 * Blocks, exits and maps are only ever added; they go all at once when the cache is
 * flushed. A block whose guest code has changed is unlinked: no key, page or jump
 * leads to it any more, but a thread may still be running it to its end.
 */
#ifndef TCG_TRANSLATE_BLOCK_TABLE_H
#define TCG_TRANSLATE_BLOCK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "06-tcg/x86/generate.h"

#define BLOCK_NONE UINT32_MAX

struct block {
    uint32_t key;
    uint32_t end;         /* guest address after the last instruction */
    uint32_t entry, body; /* offsets in the code cache; struct generated has the picture */
    uint32_t code_end;
    uint32_t insns;             /* guest instructions */
    struct ir_recipe inherited; /* flags on entry; lazy is 0: nothing is known */
    uint32_t first_exit, exits;
    uint32_t first_map;
    uint32_t callers; /* exits that are chained to this block: head of a list */
    uint32_t next_in_hash;
    uint32_t next_on_page[2]; /* of the first page, and of a second one if there is one */
    bool unlinked;
    uint64_t executions; /* counted if asked for */
};

struct block_exit {
    uint32_t key;
    uint32_t jump, stub; /* see struct exit_site */
    uint32_t compare;    /* of an inline cache that has no key yet; 0: this one has one */
    bool chained;
    uint32_t to, next;       /* if chained: the block, and the next in its list of callers */
    struct ir_recipe recipe; /* of a straight way: see struct exit_site */
};

struct block_table {
    struct block *blocks;
    struct block_exit *exits;
    struct code_map *maps;
    uint32_t block_count, exit_count, map_count;
    uint32_t block_limit, exit_limit, map_limit;
    uint32_t *hash; /* heads of lists of blocks, by key */
    uint32_t *page; /* heads of lists of blocks, by page of the guest */
};

/* For code_size bytes of code. 0 or -ENOMEM. */
int block_table_init(struct block_table *table, size_t code_size);
void block_table_free(struct block_table *table);
void block_table_reset(struct block_table *table);

/* Is there room for one more block of any kind? */
bool block_table_has_room(const struct block_table *table);

/* Adds what was generated of ir; its exits are numbered from table->exit_count on. */
struct block *block_table_add(struct block_table *table, const struct ir_block *ir,
                              const struct generated *code);

/* The block that inherits just this recipe, or, with NULL, none. */
struct block *block_table_find(struct block_table *table, uint32_t key,
                               const struct ir_recipe *inherited);

/* How many blocks there are with this key, whatever they inherit. */
unsigned block_table_versions(const struct block_table *table, uint32_t key);

/* The recipe with which a block may be entered from this exit, or NULL. */
const struct ir_recipe *block_table_recipe(const struct block_table *table, uint32_t exit);

/* The block whose code holds this offset, unlinked ones included; NULL: none. */
struct block *block_table_at(struct block_table *table, uint32_t offset);

/* The guest instruction that the code at offset in this block belongs to. */
const struct code_map *block_map_at(const struct block_table *table, const struct block *block,
                                    uint32_t offset);

/* Takes the block out of hash and pages. */
void block_table_unlink(struct block_table *table, struct block *block);

/* Any block of this page of the guest (a page number), or NULL. */
struct block *block_table_on_page(struct block_table *table, uint32_t page);

#endif
