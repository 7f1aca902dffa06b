"""A model out of an MLflow registry as the model of a policy."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import weakref
import zipfile
from pathlib import Path
from typing import Any, Self

from shipworthy.errors import UnavailableError
from shipworthy.library import library

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when mlflow is imported
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

download_artifacts = library("mlflow.artifacts", "mlflow").download_artifacts
MlflowException = library("mlflow.exceptions", "mlflow").MlflowException
load_model = library("mlflow.pyfunc", "mlflow").load_model


class MlflowModel:
    """A registered model as it is: fitting it fetches it and learns nothing, and what is fitted holds the whole model.

    So a release packs the model itself, and deciding asks no registry. A replay cannot know on which rows it was trained: of the
    periods up to then it proves nothing. Begin the replay after them with `Problem(warm_up=...)`. MLflow may open it by
    pickle, so a policy that ships it declares `pickled=True`.

    Attributes:
        uri: Such as "models:/demand/3". Name a version, not an alias, so that a replay gives the same tomorrow.
        tracking_uri: The registry's address; None means MLflow's own settings.
    """

    opens_pickles = True
    """No release holds it as if it were data."""

    def __init__(self, uri: str, tracking_uri: str | None = None) -> None:
        """Names the model; nothing is fetched yet."""
        self.uri = uri
        self.tracking_uri = tracking_uri
        self._packed: bytes | None = None
        self._loaded: Any = None

    def fit(self, X: Any, y: Any) -> Self:
        """Fetches the model.

        Raises:
            UnavailableError: the registry does not answer, or has no such model.
        """
        del X, y
        if self._packed is None:
            self._packed = self._fetched()
        return self

    def predict(self, X: Any) -> Any:
        """Asks the model; X goes to it as the policy made it."""
        if self._loaded is None:
            assert self._packed is not None, "a model is fitted before it predicts"
            folder = tempfile.mkdtemp(prefix="shipworthy-mlflow-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            with zipfile.ZipFile(io.BytesIO(self._packed)) as packed:
                packed.extractall(folder)
            self._loaded = load_model(folder)
        return self._loaded.predict(X)

    def __getstate__(self) -> dict[str, Any]:
        return {"uri": self.uri, "tracking_uri": self.tracking_uri, "_packed": self._packed, "_loaded": None}

    def _fetched(self) -> bytes:
        packed = io.BytesIO()
        with tempfile.TemporaryDirectory() as folder:
            try:
                place = Path(download_artifacts(self.uri, dst_path=folder, tracking_uri=self.tracking_uri))
            except (MlflowException, OSError) as error:
                first_line = str(error).partition("\n")[0]
                raise UnavailableError(f"The MLflow registry did not give {self.uri!r}: {first_line}") from error
            with zipfile.ZipFile(packed, "w") as archive:
                for file in sorted(place.rglob("*")):
                    if file.is_file():
                        archive.writestr(zipfile.ZipInfo(str(file.relative_to(place))), file.read_bytes())
        return packed.getvalue()
