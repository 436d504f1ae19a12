# Run by make.py in an empty folder; DATA is the stream's folder, RULES the default pack.
holdfast reference build $DATA/reference.jsonl.gz -o pay.json --segment country --segment device --segment tier \
  --segment country,device --segment country,tier --segment device,tier
cat > pay.yaml <<EOF
models: [{name: payment-risk, reference: pay.json, window: {pane: 1h, size: 1d, every: 1d, lateness: 1h}}]
rules: [$RULES]
EOF
holdfast replay --config pay.yaml --state state --out out $DATA/predictions.jsonl.gz $DATA/labels.jsonl.gz
# holdfast explain FINGERPRINT --state state --at TIME --picture alert.svg
