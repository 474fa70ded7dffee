/tmp/w/D/build-clang/02-protected-mode/sregs_rules.o: \
  /tmp/w/D/chapters/02-protected-mode/sregs_rules.c \
  /tmp/w/D/chapters/02-protected-mode/sregs_check.h

/tmp/w/D/chapters/02-protected-mode/sregs_check.h:
