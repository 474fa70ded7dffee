# Ring -1: a hypervisor textbook that runs. "make help" lists what there is.
#
# Each chapter builds itself (make -C chapters/NN-name); this file goes through all
# of them and adds what concerns the whole: setting up, booting, checking, the lab.

ifneq ($(words $(CURDIR)),1)
$(error to make, a blank ends a name: move this tree where "$(CURDIR)" has none)
endif

SHELL    := /bin/bash
CHAPTERS := $(patsubst %/Makefile,%,$(sort $(wildcard chapters/*/Makefile)))
BUILD    ?= $(CURDIR)/build
MAKEFLAGS += --no-print-directory -j$(shell nproc)
CLANG_FORMAT ?= clang-format

# The chapters build one after the other (they share libraries), each on all cores.
each = +@set -e; for chapter in $(CHAPTERS); do $(MAKE) -C $$chapter $(1); done

.PHONY: help all tests boot guest-disk check run doctor lab deps bench book clean format \
        asan fuzzers campaign proofs install compile_commands.json

help:
	@echo 'Ring -1: a hypervisor textbook that runs'
	@echo
	@echo '  make boot     boot Debian'\''s Linux in our VMM and get a shell (sets up what it needs)'
	@echo '  make check    run every test'
	@echo
	@echo '  make          build all programs and guests below build/'
	@echo '  make run      run chapter 1'\''s program; "make -C chapters/NN-name run" runs another'
	@echo '  make guest-disk  build build/guest-disk.qcow2, Debian with systemd, for make boot DISK='
	@echo '  make bench    measure what the chapters measure'
	@echo '  make doctor   what this computer can run, and what is missing'
	@echo '  make lab      a shell inside the lab: an emulated AMD computer with a real /dev/kvm'
	@echo '  make deps     install the packages that are missing'
	@echo '  make book     fill the code and the transcripts into the book'
	@echo '  make asan     build everything with AddressSanitizer and UBSan below build/asan'
	@echo '  make fuzzers  build the fuzz targets (clang); tests/fuzz -t SECONDS runs them'
	@echo '  make campaign 10^8 random accesses to the devices, then each fuzz target for FUZZ=600 seconds'
	@echo '  make proofs   prove claims about the C code for all inputs, up to bounds (CBMC)'
	@echo '  make format   lay out the C code with clang-format'
	@echo '  make compile_commands.json   for editors (needs bear)'
	@echo '  make install  vmm, vmm-img, manual pages, completion: below PREFIX=/usr/local, DESTDIR='
	@echo '  make clean    remove build/'
	@echo
	@echo '  KVM=host|lab         where guests run (default: as the doctor says)'
	@echo '  KERNEL= INITRD=      boot your own; DISK= is its /dev/vda, APPEND= adds words, MEM= sets MiB'
	@echo '  V=1                  show whole commands; SAN=1, SAN=thread, CC=clang: other builds'

.DEFAULT_GOAL := all

all:
	@common/deps build
	$(call each,all)

tests:
	@common/deps build test
	$(call each,tests)

asan:
	@common/deps build test
	$(call each,tests SAN=1 BUILD=$(BUILD)/asan)

run: all
	@common/with-kvm $(BUILD)/hello

boot: all
	@chapters/07-linux-boot/boot

guest-disk: all
	@chapters/07-linux-boot/guest-disk

# Chapters with fuzz targets; without clang there are none, and it says so.
fuzzers:
	@common/deps build
	+@for chapter in 05-virtio 07-linux-boot; do \
	    $(MAKE) -C chapters/$$chapter fuzzers BUILD=$(BUILD) || exit 1; done

# Promise P2 of book/threat-model.md, for as long as one likes: four times 25 million accesses.
FUZZ ?= 600
campaign: fuzzers
	+@$(MAKE) -C chapters/04-devices tests SAN=1 BUILD=$(BUILD)/asan
	@HAMMER_COUNT=25000000 CK_TIMEOUT_MULTIPLIER=60 BUILD=$(BUILD)/asan \
	    tests/run $(BUILD)/asan/tests/04-devices/test_hammer
	@tests/fuzz -t $(FUZZ)

# Some minutes; not a part of check. Without CBMC it says so.
proofs:
	@tests/proofs/run

check: tests asan fuzzers
	@common/deps build test boot lab book
	@common/deps arm || echo 'check: goes on without what chapter 6 is compared with'
	@tests/check

# What it finds is the answer, not an error of make's.
doctor: all
	@$(BUILD)/doctor || true

bench: all
	$(call each,bench)

lab:
	@tests/lab/run -i -- bash

deps:
	@common/deps build test boot lab book

book:
	@common/deps book
	@book/weave --write

format:
	$(CLANG_FORMAT) -i $$(git ls-files '*.c' '*.h')

compile_commands.json:
	bear --output $@ -- $(MAKE) -B tests

install: all
	+@$(MAKE) -C chapters/07-linux-boot install

clean:
	rm -rf $(BUILD)
