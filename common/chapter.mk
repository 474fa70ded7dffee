# chapter.mk: what every chapter's Makefile shares.
#
# A chapter sets these, then includes this file:
#
#   CHAPTER   its folder's name                    04-devices
#   NEEDS     earlier chapters it links            01-kvm-hello
#   MODULES   its .c files others may link too     bus uart
#   PROGRAMS  program=main-source pairs            hello=main hello-raw=raw
#   PARTS_program   more of its .c files, LINK_program options of its own,
#   LDLIBS_program  libraries in place of LDLIBS
#   GUESTS    guest/NAME.asm payloads              hello primes
#   RUN       the command of "make run", at the top  common/with-kvm hello
#   BENCH     what "make bench" starts, if anything bench bench-more
#
# Everything generated goes below $(BUILD), in the same shape as the tree:
#
#   build/hello                      a program
#   build/01-kvm-hello/lib.a         a chapter's modules, for later chapters
#   build/01-kvm-hello/hello.bin     a guest
#   build/tests/01-kvm-hello/test_x  a test suite
#
# SAN=1 builds with AddressSanitizer and UBSan below build/asan, SAN=thread with
# ThreadSanitizer below build/tsan; CC=clang works.

ifneq ($(words $(CURDIR)),1)
$(error to make, a blank ends a name: move this tree where "$(CURDIR)" has none)
endif

TOP   := $(patsubst %/common/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
SAN   ?=
BUILD ?= $(TOP)/build$(if $(SAN),/$(if $(filter thread,$(SAN)),tsan,asan))
# A path that does not begin with / counts from the top, wherever make runs.
override BUILD := $(if $(filter /%,$(BUILD)),$(BUILD),$(TOP)/$(BUILD))
HERE  := $(TOP)/chapters/$(CHAPTER)
OUT   := $(BUILD)/$(CHAPTER)
NASM  ?= nasm

CFLAGS   ?= -O2 -g
INCLUDES := -I$(TOP) -I$(TOP)/chapters -MMD -MP
# glibc's and Linux's own interfaces are in every file: signals, threads, mmap flags.
# A compiler of next year may warn of something new; only CI (WERROR=1) calls that an error.
STRICT   := -std=c11 -D_GNU_SOURCE= -Wall -Wextra $(if $(WERROR),-Werror) -pthread
# What a program does not call is not in it.
STRICT   += -ffunction-sections -fdata-sections
LDFLAGS  += -Wl,--gc-sections
LDLIBS   += -pthread
ifeq ($(SAN),thread)
# It does not model fences, and gcc says so. What they order here, a store before a load
# of something else, is no race of the kind that it looks for.
STRICT   += -fsanitize=thread -fno-omit-frame-pointer -Wno-unknown-warning-option -Wno-tsan
LDFLAGS  += -fsanitize=thread
else ifneq ($(SAN),)
STRICT   += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS  += -fsanitize=address,undefined
endif
# One short line for each step; V=1 shows the whole commands.
Q         := $(if $(V),,@)
SAY        = $(if $(V),,@printf '  %-5s %s\n' $(1) $(patsubst $(TOP)/%,%,$(2)))

# -Wa: where EMBED (common/embed.h) finds guests.
COMPILE   = $(CC) $(INCLUDES) $(CPPFLAGS) $(STRICT) -Wa,-I$(BUILD) $(CFLAGS)
LINK      = $(CC) $(STRICT) $(CFLAGS) $(LDFLAGS)

objects   = $(patsubst %,$(OUT)/%.o,$(1))
main_of   = $(lastword $(subst =, ,$(1)))
name_of   = $(firstword $(subst =, ,$(1)))
# A chapter may name libraries of the system: LDLIBS_04-devices = -lz
reverse   = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))

PROGRAM_SOURCES := $(foreach p,$(PROGRAMS),$(call main_of,$(p)) $(PARTS_$(call name_of,$(p))))
MAIN_OBJS   := $(sort $(call objects,$(PROGRAM_SOURCES)))
MODULE_OBJS := $(call objects,$(MODULES))
GUEST_BINS  := $(patsubst %,$(OUT)/%.bin,$(GUESTS))
COMMON_OBJS := $(patsubst $(TOP)/common/%.c,$(BUILD)/common/%.o,$(wildcard $(TOP)/common/*.c))
# A static library comes after what uses it: own modules, later chapters, common.
LIBS := $(if $(MODULES),$(OUT)/lib.a) \
        $(patsubst %,$(BUILD)/%/lib.a,$(call reverse,$(NEEDS))) $(BUILD)/common/lib.a
TEST_SOURCES := $(wildcard $(TOP)/tests/$(CHAPTER)/*.c)
TEST_BINS    := $(patsubst $(TOP)/tests/%.c,$(BUILD)/tests/%,$(TEST_SOURCES))
HARNESS      := $(patsubst $(TOP)/tests/harness/%.c,$(BUILD)/tests/harness/%.o, \
                  $(wildcard $(TOP)/tests/harness/*.c))

.PHONY: all lib tests check run bench includes FORCE
all: includes lib $(foreach p,$(PROGRAMS),$(BUILD)/$(call name_of,$(p))) $(GUEST_BINS)
lib: includes $(LIBS)
tests: all $(TEST_BINS)

includes:
	@$(TOP)/tests/check-includes $(TOP) chapters/$(CHAPTER)

run: all
	$(if $(RUN),@cd $(TOP) && PATH="$(BUILD):$$PATH" $(RUN),@echo 'chapter $(CHAPTER) has no program of its own; "make check" runs its tests')

# A benchmark is a script or program of the chapter; it prints, and never fails a build.
bench: all
	$(if $(BENCH),cd $(TOP) $(foreach b,$(BENCH),&& BUILD=$(BUILD) chapters/$(CHAPTER)/$(b)),@:)

check: tests
	cd $(TOP) && BUILD=$(BUILD) tests/run $(TEST_BINS)

define program_rule
$(BUILD)/$(call name_of,$(1)): $(call objects,$(call main_of,$(1)) $(PARTS_$(call name_of,$(1)))) $(LIBS)
	$$(call SAY,LINK,$$@)
	$$(Q)$$(LINK) $$(LINK_$(call name_of,$(1))) -o $$@ $$^ \
	    $$(or $$(LDLIBS_$(call name_of,$(1))),$$(LDLIBS))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rule,$(p))))

$(OUT)/lib.a: $(MODULE_OBJS)
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/common/lib.a: $(COMMON_OBJS)
	@rm -f $@
	@$(AR) rcs $@ $^

# An earlier chapter knows how to build its own library.
$(patsubst %,$(BUILD)/%/lib.a,$(NEEDS)): $(BUILD)/%/lib.a: FORCE
	@$(MAKE) --no-print-directory -C $(TOP)/chapters/$* lib BUILD=$(BUILD) SAN=$(SAN)

# Programs embed their guests (common/embed.h), so the guests come first.
$(MAIN_OBJS) $(MODULE_OBJS): $(OUT)/%.o: $(HERE)/%.c | $(GUEST_BINS)
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$(Q)$(COMPILE) -c -o $@ $<
$(MAIN_OBJS): $(GUEST_BINS)

$(BUILD)/common/%.o: $(TOP)/common/%.c
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$(Q)$(COMPILE) -c -o $@ $<

$(OUT)/%.bin: $(HERE)/guest/%.asm
	@mkdir -p $(@D)
	$(call SAY,NASM,$<)
	$(Q)$(NASM) -f bin -Werror -i $(HERE)/guest/ -MD $(@:.bin=.bin.d) -l $(@:.bin=.lst) -o $@ $<

$(BUILD)/tests/harness/%.o: $(TOP)/tests/harness/%.c
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$(Q)$(COMPILE) -I$(TOP)/tests -c -o $@ $<

$(TEST_BINS): $(BUILD)/tests/%: $(TOP)/tests/%.c $(HARNESS) $(LIBS)
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$(Q)$(COMPILE) -I$(TOP)/tests $(LDFLAGS) -MF $@.d -o $@ $(filter-out %.h,$^) $(LDLIBS) \
	    $$(pkg-config --libs check)

-include $(MAIN_OBJS:.o=.d) $(MODULE_OBJS:.o=.d) $(COMMON_OBJS:.o=.d) $(HARNESS:.o=.d) \
         $(addsuffix .d,$(TEST_BINS)) $(addsuffix .d,$(GUEST_BINS))
