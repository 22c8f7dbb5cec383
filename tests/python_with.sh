# python_with.sh: sourced by tests; $python becomes a Python that has the $modules ("numpy, torch"), or "" where there is none here.
# ROPEPP_PYTHON names one to try first.
python=""
for candidate in ${ROPEPP_PYTHON:-} python3 /usr/bin/python3; do
  "$candidate" -c "import $modules" 2>/dev/null && python=$candidate && break
done
