#!/usr/bin/env python3
"""Apache Spark: lines of JSON in, answers out in the same order, from as many machines as the cluster has.

spark-submit --master MASTER spark.py LINES ANSWERS [--partitions N] [OPTIONS OF dockeropt fix]

LINES and ANSWERS are what Spark can read and write: files, folders, buckets. A partition goes through one process; where
a worker dies, Spark gives its partitions to another one, which gives the same answers.
"""

import argparse
import os
import shlex

from pyspark import SparkContext


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines")
    parser.add_argument("answers")
    parser.add_argument("--partitions", type=int, default=64)
    args, options = parser.parse_known_args()
    command = shlex.join([os.environ.get("DOCKEROPT", "dockeropt"), "fix", "--stdin-jsonl", *options])
    # Without `env`, the program would run without any variables, PATH among them.
    with SparkContext(appName="dockeropt") as spark:
        lines = spark.textFile(args.lines, args.partitions)
        lines.pipe(command, env=dict(os.environ), checkCode=True).saveAsTextFile(args.answers)


if __name__ == "__main__":
    main()
