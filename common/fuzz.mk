# fuzz.mk: a chapter's fuzz targets. After chapter.mk; the chapter sets
#
#   FUZZERS   tests/NN-name/fuzz/fuzz_X.c, one program each   rng blk
#   FUZZ_WITH what all of them link, from the same folder     fuzz
#
# "make fuzzers" builds them, with clang's libFuzzer and the sanitizers, below build/fuzz.
# "make fuzz SECONDS=600" lets each run so long; tests/fuzz says what then happens.
# Without clang both say SKIP.

FUZZ_CC     ?= clang
FUZZ_FLAGS  := -O1 -g -fsanitize=fuzzer-no-link
FUZZ_FOLDER := $(TOP)/tests/$(CHAPTER)/fuzz
FUZZ_OUT    := $(BUILD)/tests/$(CHAPTER)/fuzz
FUZZ_OBJS   := $(FUZZ_WITH:%=$(FUZZ_OUT)/%.o)
FUZZ_BINS   := $(FUZZERS:%=$(FUZZ_OUT)/fuzz_%)
SECONDS     ?= 60

.PHONY: fuzzers fuzz fuzz-programs
fuzzers:
	@if command -v $(FUZZ_CC) >/dev/null; then \
	    $(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=$(FUZZ_CC) SAN=1 \
	        CFLAGS='$(FUZZ_FLAGS)' fuzz-programs; \
	else \
	    echo 'SKIP fuzzers: no $(FUZZ_CC) here; they need its libFuzzer'; \
	fi

fuzz: fuzzers
	cd $(TOP) && BUILD=$(BUILD) tests/fuzz -t $(SECONDS) $(FUZZERS:%=$(CHAPTER)/fuzz_%)

fuzz-programs: $(FUZZ_BINS)

$(FUZZ_OUT)/%.o: $(FUZZ_FOLDER)/%.c
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$(Q)$(COMPILE) -c -o $@ $<

$(FUZZ_BINS): $(FUZZ_OUT)/%: $(FUZZ_OUT)/%.o $(FUZZ_OBJS) $(LIBS)
	$(call SAY,LINK,$@)
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

.PRECIOUS: $(FUZZ_OUT)/%.o
-include $(FUZZ_BINS:=.d) $(FUZZ_OBJS:.o=.d)
